"""`harness report`: write the page of a run anew from its records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.errors import InputError
from harness.lazy import lazily
from harness.store import open_run
from harness.written import refuse_unwritable

if TYPE_CHECKING:
    from harness.report import page
else:
    (page,) = lazily("harness.report.page")  # pandas and matplotlib


def report(
    run: Annotated[
        Path, typer.Argument(help="A run's folder, or the name of a suite: its newest run.", show_default=False)
    ],
    report: Annotated[Path, typer.Option("--report", help="The folder of the pages.")] = Path("report"),
) -> None:
    """Write the page of a run from its records."""
    refuse_unwritable(report, "--report")
    try:
        print(page.write_report(open_run(run), report))
    except OSError as error:
        raise InputError(report, "--report", f"the page can't be written: {error.strerror or error}") from error
