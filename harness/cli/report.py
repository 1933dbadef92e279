"""`harness report`: write the page of a run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(help="A run's folder, results/<suite>/<run>.", show_default=False)],
    report: Annotated[Path, typer.Option("--report", help="Where pages are written.")] = Path("report"),
) -> None:
    """Write the page of a run from its records."""
    from harness.report.page import write_report
    from harness.store import open_run

    print(write_report(open_run(run), report))
