"""`harness report`: write the page of one or several runs again from their records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.imports import PLUGINS, tell_plugins
from harness.errors import InputError
from harness.lazy import lazily
from harness.store import open_run
from harness.written import refuse_unwritable

if TYPE_CHECKING:
    from harness.report import page
else:
    (page,) = lazily("harness.report.page")  # pandas and matplotlib


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="A run's folder, or the name of a suite: its newest run. Several runs of a suite share a page.",
            show_default=False,
        ),
    ],
    plugins: Annotated[bool, typer.Option("--plugins", help=PLUGINS)] = False,
    report: Annotated[Path, typer.Option("--report", help="The folder of the pages.")] = Path("report"),
) -> None:
    """Write the page of one run, or of several runs of one suite."""
    refuse_unwritable(report, "--report")
    found = {run.folder.resolve(): run for run in map(open_run, runs)}
    if plugins:
        tell_plugins(found.values())
    try:
        print(page.write_report(list(found.values()), report, plugins=plugins))
    except OSError as error:
        raise InputError(report, "--report", f"the page can't be written: {error.strerror or error}") from error
