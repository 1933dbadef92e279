"""Where a model is: `file.py:name`, `package.module:name`, or the name of an entry point."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path

from harness.errors import ProblemError, one_of, shown
from harness.file_module import module_of
from harness.installed import installed
from harness.models.declared import Model
from harness.models.trace import is_an_authors
from harness.spec import split

GROUP = "harness.models"


@dataclass(frozen=True)
class Source:
    """A model by where it is found. `place` is the absolute path of a file, or a module's name.

    `label` is what a suite calls it, without its settings.
    """

    label: str
    place: str
    name: str

    @classmethod
    def of(cls, spec: str, folder: Path) -> tuple[Source, str]:
        """The model that `place:name(settings)` names, files being relative to `folder`; and the settings' text."""
        label, text = split(spec)
        place, _, name = label.rpartition(":")
        if not place:
            (entry,) = _published(label)
            place, _, name = entry.value.partition(":")
        if place.endswith(".py"):
            place = str((folder / place).resolve())
        return cls(label, place, name), text

    def model(self) -> Model:
        """Import it. Raises ProblemError where there is no such model, and whatever the file raises."""
        module = _file(Path(self.place)) if self.place.endswith(".py") else importlib.import_module(self.place)
        found = getattr(module, self.name, None)
        if isinstance(found, Model):
            return found
        declared = [name for name, value in vars(module).items() if isinstance(value, Model)]
        if callable(found):
            raise ProblemError(f"{self.name} is no model: decorate it with @harness.torch.model or @harness.jax.model")
        if not declared:
            raise ProblemError("it declares no model: decorate a function with @harness.torch.model")
        raise ProblemError(f"{shown(self.name)} is no model in it; {one_of(declared, self.name)}")

    def code(self) -> dict[str, str]:
        """The files that this process has imported for the model, by name: its own, and those in its folder or below.

        For a model of a package the folder is the package's. A file's name is as the suite would write it, a module's
        name is its own. Installed packages don't count, nor does what the folder has and the model doesn't import.
        """
        loaded = {name: file for name, module in list(sys.modules.items()) if (file := _file_of(module)) is not None}
        if self.place.endswith(".py"):
            own, beside = Path(self.place), Path(self.label.rpartition(":")[0]).parent
            files = {own, *_below(own.parent, loaded.values())}
            return {str(beside / file.relative_to(own.parent)): str(file) for file in sorted(files)}
        own, package = loaded[self.place], sys.modules[self.place.partition(".")[0]]
        folders = map(Path, getattr(package, "__path__", ()))
        files = {own, *(file for folder in folders for file in _below(folder.resolve(), loaded.values()))}
        return {name: str(file) for name, file in sorted(loaded.items()) if file in files}


def names_model(spec: str) -> bool:
    """Whether a suite's `problem` is a model: has a colon, or is the name of an entry point."""
    label = spec.partition("(")[0].strip()
    return ":" in label or bool(_published(label))


def _published(name: str) -> list[EntryPoint]:
    """The entry points of this name."""
    return [entry for entry in installed(GROUP) if entry.name == name]


def _file_of(module: object) -> Path | None:
    """Where a module's source is, if it has one."""
    file = getattr(module, "__file__", None)
    if (
        not isinstance(file, str) or not file.endswith(".py") or not Path(file).is_absolute()
    ):  # some libraries make one up
        return None
    return Path(file).resolve() if Path(file).is_file() else None


def _below(folder: Path, files: Iterable[Path]) -> set[Path]:
    """Those in the folder or below that its author wrote."""
    return {file for file in files if file.is_relative_to(folder) and is_an_authors(str(file))}


def _file(path: Path) -> object:
    """The module in a file. What stands beside the file can be imported by it, as where Python runs it."""
    if not path.is_file():
        raise ProblemError("no such file")
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    return module_of(path, f"harness_model_{path.stem}")
