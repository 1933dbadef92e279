"""The source of all of the code that a module runs: its own, and that of what it imports, and so on."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

PACKAGE = "harness"


def sources(modules: Iterable[ModuleType]) -> dict[str, str]:
    """By module, in the order of their names: of the modules, and of those that they import, directly or not.

    Followed are imports at any place of a file, of this package, and of files in the folder of the module that imports
    them (a plugin's own). Other libraries are left out: they have versions.
    """
    found: dict[str, str] = {}
    waiting = [(module.__name__, Path(module.__file__)) for module in modules if module.__file__]
    while waiting:
        name, file = waiting.pop()
        if name in found:
            continue
        found[name] = file.read_text(encoding="utf-8")
        waiting.extend(_neighbours(name, file, found[name]))
    return dict(sorted(found.items()))


def _neighbours(name: str, file: Path, source: str) -> Iterator[tuple[str, Path]]:
    for imported in _imported(name, source, is_package=file.name == "__init__.py"):
        other = _file(imported)
        if other and (imported.split(".")[0] == PACKAGE or file.parent in other.parents):
            yield imported, other


def _imported(name: str, source: str, *, is_package: bool) -> Iterator[str]:
    """The modules that a source names; `from a import b` names a and perhaps a.b."""
    here = name.split(".") if is_package else name.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = here[: len(here) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _file(name: str) -> Path | None:
    """Of a module in Python that is loaded or can be found; None where the name is no such module."""
    module = sys.modules.get(name)
    if module is None:
        try:
            spec = find_spec(name)
        except (ImportError, ValueError, AttributeError):
            return None
        origin = spec.origin if spec else None
    else:
        origin = getattr(module, "__file__", None)
    return Path(origin) if origin and origin.endswith(".py") else None
