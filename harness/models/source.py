"""Where a model is: `file.py:name`, `package.module:name`, or the name of an entry point."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from harness.errors import ProblemError, one_of, shown
from harness.models.declared import Model
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
            (entry,) = entry_points(group=GROUP, name=label)
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


def names_model(spec: str) -> bool:
    """Whether a suite's `problem` is a model: has a colon, or is the name of an entry point."""
    label = spec.partition("(")[0].strip()
    return ":" in label or bool(entry_points(group=GROUP, name=label))


def _file(path: Path) -> object:
    """The module in a file. What stands beside the file can be imported by it, as where Python runs it."""
    if not path.is_file():
        raise ProblemError("no such file")
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    name = f"harness_model_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # the folder is its author's
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes
    return module
