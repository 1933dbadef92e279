"""Modules that are imported when they are first used."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from harness.lazy import lazily

PACKAGE = Path(str(harness.__file__)).parent
SLOW = "a_slow_module_of_this_test"


@pytest.fixture(autouse=True)
def slow_module(tmp_path, monkeypatch):
    """A module that can be imported and that nobody has imported yet."""
    (tmp_path / f"{SLOW}.py").write_text("answer = 42\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop(SLOW, None)


def test_a_module_is_imported_when_an_attribute_is_asked_for():
    (slow,) = lazily(SLOW)
    assert SLOW not in sys.modules
    assert slow.answer == 42
    assert SLOW in sys.modules


def test_to_show_it_imports_nothing():
    (slow,) = lazily(SLOW)
    assert SLOW in repr(slow)
    assert SLOW not in sys.modules


def test_there_is_one_for_each_name_in_their_order():
    slow, decoder = lazily(SLOW, "json.decoder")
    assert decoder.JSONDecoder.__module__ == "json.decoder"
    assert slow.answer == 42


def test_after_the_first_use_attributes_are_found_without_an_import(monkeypatch):
    (slow,) = lazily(SLOW)
    assert slow.answer == 42
    monkeypatch.setattr("importlib.import_module", None)
    assert slow.answer == 42


def test_what_changes_in_the_module_is_seen(monkeypatch):
    (slow,) = lazily(SLOW)
    assert slow.answer == 42
    monkeypatch.setattr(sys.modules[SLOW], "answer", 43)
    assert slow.answer == 43


def test_a_module_that_is_not_installed_is_an_error_of_its_first_use():
    (missing,) = lazily("no_such_module_anywhere")
    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        _ = missing.anything


def test_an_attribute_that_the_module_lacks_is_an_attribute_error():
    (slow,) = lazily(SLOW)
    with pytest.raises(AttributeError, match="question"):
        _ = slow.question


def declarations() -> Iterator[tuple[str, ast.If]]:
    """Every `if TYPE_CHECKING: … else: … = lazily(…)` of the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.If) and node.orelse and "lazily" in ast.unparse(node.orelse[0]):
                yield str(path.relative_to(PACKAGE)), node


def for_the_checker(node: ast.If) -> dict[str, str]:
    """What the imports for the type checker call which module."""
    found: dict[str, str] = {}
    for statement in node.body:
        if isinstance(statement, ast.Import):
            found |= {alias.asname or alias.name: alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            found |= {alias.asname or alias.name: f"{statement.module}.{alias.name}" for alias in statement.names}
    return found


def at_run_time(node: ast.If) -> dict[str, str]:
    """What the calls of `lazily` call which module."""
    found: dict[str, str] = {}
    for statement in node.orelse:
        assert isinstance(statement, ast.Assign)
        (target,), call = statement.targets, statement.value
        assert isinstance(target, ast.Tuple)
        assert isinstance(call, ast.Call)
        names = [name.id for name in target.elts if isinstance(name, ast.Name)]
        modules = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
        found |= {name: str(module) for name, module in zip(names, modules, strict=True)}
    return found


@pytest.mark.parametrize(("file", "node"), [pytest.param(*pair, id=pair[0]) for pair in declarations()])
def test_the_type_checker_sees_the_modules_that_run(file, node):
    declared = for_the_checker(node)
    for name, module in at_run_time(node).items():
        assert declared[name] == module
        if module.startswith("harness."):
            place = PACKAGE.parent.joinpath(*module.split("."))
            assert place.with_suffix(".py").exists() or (place / "__init__.py").exists()
