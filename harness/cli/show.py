"""`harness show`: a run in the terminal."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from harness.store import Run, open_run


def show(
    run: Annotated[Path, typer.Argument(help="A run's folder, results/<suite>/<run>.", show_default=False)],
) -> None:
    """Print a run's records and its summary."""
    opened = open_run(run)
    print_records(opened)
    print_summary(opened)


def print_records(run: Run) -> None:
    """A row a record."""
    from rich.console import Console
    from rich.table import Table

    from harness.frames import load
    from harness.report.format import error, seconds, size

    table = Table(box=None, pad_edge=False)
    for heading in (
        "method",
        "scheme",
        "setting",
        "status",
        "time",
        "peak",
        "gradient error",
        "adjoint error",
    ):
        table.add_column(heading, justify="right" if heading in ("time", "peak") or "error" in heading else "left")
    frame = load(run.folder)
    for row in frame.sort_values(["block", "seconds_median"]).itertuples():
        setting = f"{row.problem} {row.noise} d{row.dim} b{row.batch} n{row.steps}"
        cells = (
            seconds(row.seconds_median),
            size(row.peak_bytes),
            error(row.gradient_error_theta_median),
            error(row.adjoint_error_theta_median),
        )
        table.add_row(str(row.method), str(row.scheme), setting, str(row.status), *cells)
    Console(width=None if Console().is_terminal else 160).print(table)


def print_speedups(run: Run) -> None:
    """A row a paired ratio of a native method to a library's."""
    from rich.console import Console
    from rich.table import Table

    from harness.frames import load, speedups
    from harness.report.format import decimal
    from harness.report.ratios import place

    table = Table(box=None, pad_edge=False)
    for heading in ("native", "library", "ratio", "95% interval", "over floor", "brownian", "setting"):
        table.add_column(heading, justify="right" if heading in ("ratio", "over floor") else "left")
    for _, row in speedups(load(run.folder)).iterrows():
        interval = f"{decimal(row['low'])} – {decimal(row['high'])}"
        numbers = (f"{decimal(row['ratio'])}×", interval, decimal(row["floor_ratio"]))
        table.add_row(row["native"], row["library"], *numbers, row["brownian"], place(row))
    Console(width=None if Console().is_terminal else 180).print(table)


def print_summary(run: Run) -> None:
    """What became of the cases, and native against library."""
    from harness.frames import load
    from harness.report.answers import answers

    frame = load(run.folder)
    counts = Counter(frame["status"])
    print(f"{run.folder}: {', '.join(f'{n} {status}' for status, n in sorted(counts.items())) or 'no records'}")
    for sentence in answers(frame):
        print(f"- {sentence}")
