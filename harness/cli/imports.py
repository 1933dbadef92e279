"""Whose code a command runs: said before it does."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from harness.cli.terminal import place
from harness.errors import printable
from harness.identity import suite_of
from harness.models.source import Source
from harness.store import Run
from harness.suite import Suite

PLUGINS = "Import the plugins that the run's suite names, which runs their code: for their sections and theory."


def tell_imports(names: Iterable[str]) -> None:
    """One line of files and modules on standard error; none where there are none."""
    shown = [place(Path(name)) if name.endswith(".py") else name for name in dict.fromkeys(names)]
    if shown:
        print(printable(f"importing {', '.join(shown)}"), file=sys.stderr)


def tell_plugins(runs: Iterable[Run]) -> None:
    """The plugins of runs, before they are imported."""
    newest = max(runs, key=lambda run: run.id)
    tell_imports(suite_of(newest.about()["executions"][-1], newest.folder).plugins)


def imports_of(suite: Suite, folder: Path) -> list[str]:
    """What a suite in a folder has imported: its plugins, then its models' files and modules."""
    models: list[str] = []
    for spec in (spec for grid in suite.grid for spec in grid.models()):
        try:
            models.append(Source.of(spec, folder)[0].place)
        except ValueError:  # said when the model is looked for
            continue
    return [*suite.plugins, *models]
