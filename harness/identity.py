"""What makes two executions the same run: the resolved suite, the plugins' code, and the grid."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.models.facts import ModelFacts
from harness.store import About
from harness.suite import Suite, make_suite, parse_suite


@dataclass(frozen=True)
class Plugin:
    """A plugin, or a file of a model, as a run knows it: its name, and the digest of its code."""

    name: str
    digest: str

    @classmethod
    def of(cls, plugin: str) -> Plugin:
        """A loaded plugin: that of the file, or of all files of the module or package."""
        digest = hashlib.sha256()
        for path in _files(plugin):
            digest.update(path.read_bytes())
        return cls(Path(plugin).name if plugin.endswith(".py") else plugin, digest.hexdigest()[:16])

    @classmethod
    def of_model(cls, model: ModelFacts) -> tuple[Plugin, ...]:
        """A model's own file, and each that it imports from its folder."""
        return tuple(cls(name, hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]) for name, path in model.code)


def _files(plugin: str) -> Iterator[Path]:
    if plugin.endswith(".py"):
        yield Path(plugin)
        return
    spec = importlib.util.find_spec(plugin)
    for folder in (spec and spec.submodule_search_locations) or ():
        yield from sorted(Path(folder).rglob("*.py"))
    if spec is not None and spec.submodule_search_locations is None and spec.origin is not None:
        yield Path(spec.origin)


@dataclass(frozen=True)
class Identity:
    """The suite that was executed, with all defaults filled in, its plugins, and the files of its models."""

    suite: Suite
    plugins: tuple[Plugin, ...]

    @classmethod
    def found(cls, suite: Suite, models: Iterable[ModelFacts]) -> Identity:
        """That of a suite now, its plugins being loaded and its models built."""
        files = dict.fromkeys(file for model in models for file in Plugin.of_model(model))
        return cls(suite, (*map(Plugin.of, suite.plugins), *files))

    @property
    def grid_digest(self) -> str:
        """Of the grid and the seed, which together say what the cases are."""
        text = json.dumps(_data(self.suite, {"grid", "seed"}), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def to_data(self) -> About:
        """As an entry of `executions` in run.json holds it."""
        return {
            "suite": _data(self.suite),
            "plugins": {plugin.name: plugin.digest for plugin in self.plugins},
            "grid_digest": self.grid_digest,
        }

    @classmethod
    def of(cls, execution: About, folder: Path) -> Identity | None:
        """That of an entry of `executions`; None where version 1 of the schema wrote it. `folder` is for messages."""
        if "suite" not in execution:
            return None
        plugins = tuple(Plugin(name, digest) for name, digest in execution["plugins"].items())
        return cls(make_suite(execution["suite"], folder / "run.json"), plugins)

    def edited(self, earlier: Identity) -> list[str]:
        """The plugins whose code is another than it was earlier."""
        before = {plugin.name: plugin.digest for plugin in earlier.plugins}
        return [plugin.name for plugin in self.plugins if before.get(plugin.name, plugin.digest) != plugin.digest]

    def difference(self, earlier: Identity) -> tuple[str, object, object] | None:
        """The first key of the grid or the seed that differs, with its values earlier and now."""
        if self.suite.seed != earlier.suite.seed:
            return "seed", earlier.suite.seed, self.suite.seed
        before, now = (_data(one.suite, {"grid"})["grid"] for one in (earlier, self))
        for index, (old, new) in enumerate(zip(before, now, strict=False)):
            for axis in new:
                if old[axis] != new[axis]:
                    return f"grid.{index}.{axis}", old[axis], new[axis]
        if len(before) != len(now):
            return "grid", f"{len(before)} entries", f"{len(now)} entries"
        return None


def differing(some: Iterable[Plugin], others: Iterable[Plugin]) -> str | None:
    """The name of the first plugin or file of a model that isn't the same in both, or that only one of them has."""
    different = set(some) ^ set(others)
    return min((plugin.name for plugin in different), default=None)


def suite_of(execution: About, folder: Path) -> Suite:
    """The suite of an entry of `executions` in a run's run.json, of any version of the schema."""
    found = Identity.of(execution, folder)
    return parse_suite(execution["suite_text"], folder / "suite.yaml") if found is None else found.suite


def _data(suite: Suite, include: set[str] | None = None) -> About:
    return suite.model_dump(mode="json", include=include)
