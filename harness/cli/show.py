"""`harness show`: a run in the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.columns import COLUMNS
from harness.store import Run, open_run


def show(
    run: Annotated[Path, typer.Argument(help="A run's folder, results/<suite>/<run>.", show_default=False)],
) -> None:
    """Print a run's records and its summary."""
    opened = open_run(run)
    print_records(opened)
    print_failures(opened)
    print_summary(opened)


SHOWN = ("status", "seconds_median", "peak_bytes", "gradient_error_theta_median", "adjoint_error_theta_median")
"""What is printed of a record, besides its method, scheme and setting."""


def print_records(run: Run) -> None:
    """A row a record."""
    from harness.frames import load
    from harness.grouping import telling, words
    from harness.report.format import FORMATS

    columns = [COLUMNS[name] for name in SHOWN]
    frame = load(run.folder).sort_values(["block", "seconds_median"])
    others = telling(frame, ("method", "scheme", "problem", "noise", "dim", "batch", "steps"))
    rows = [
        (
            row["method"],
            row["scheme"],
            " ".join([_setting(row), *words(row, others)]),
            *(FORMATS[column.format](row[column.name]) for column in columns),
        )
        for row in frame.to_dict("records")
    ]
    _print_table(("method", "scheme", "setting", *(str(column.heading) for column in columns)), rows)


MOST_REASONS = 20
"""Reasons that are printed; the page has them all."""


def print_failures(run: Run) -> None:
    """Why cases failed: a line a status, method, scheme and reason, the most frequent first.

    Unsupported cases are left to `--dry-run` and to the page.
    """
    rows = [row for row in run.rows() if row["status"] not in ("ok", "unsupported")]
    counts = Counter((row["status"], row["method"], row["scheme"], row["reason"]) for row in rows)
    for (status, method, scheme, reason), count in counts.most_common(MOST_REASONS):
        print(f"{status}: {method} {scheme} ({count} cases): {reason}")
    if len(counts) > MOST_REASONS:
        print(f"… and {len(counts) - MOST_REASONS} more reasons, on the page.")


def _setting(row: Mapping[Any, Any]) -> str:
    return f"{row['problem']} {row['noise']} d{row['dim']} b{row['batch']} n{row['steps']}"


def print_speedups(run: Run) -> None:
    """A row a paired ratio of a native method to a library's."""
    from harness.frames import load, speedups
    from harness.grouping import telling
    from harness.report.format import decimal
    from harness.report.ratios import PLACE, where

    pairs = speedups(load(run.folder))
    others = telling(pairs, [*PLACE, "brownian"])
    rows = [
        (
            row["native"],
            row["library"],
            f"{decimal(row['ratio'])}×",
            f"{decimal(row['low'])} – {decimal(row['high'])}",
            decimal(row["floor_ratio"]),
            row["brownian"],
            where(row, others),
        )
        for row in pairs.to_dict("records")
    ]
    _print_table(("native", "library", "ratio", "95% interval", "over floor", "brownian", "with"), rows)


def print_ratios(run: Run) -> None:
    """A row a native method, library method and sampler: the mean and the least of their paired ratios."""
    from harness.frames import load, speedups
    from harness.grouping import differing, words
    from harness.report.format import decimal
    from harness.report.ratios import ratios

    found = ratios(speedups(load(run.folder)))
    others = differing(found, but=["brownian"])
    rows = [
        (
            row["native"],
            row["library"],
            row["brownian"],
            str(row["comparisons"]),
            f"{decimal(row['mean'])}×",
            f"{decimal(row['least'])}×",
            decimal(row["floor"]),
            ", ".join([row["where"], *words(row, others)]),
        )
        for row in found.to_dict("records")
    ]
    headings = ("native", "library", "brownian", "comparisons", "mean", "least", "over floor", "worst case")
    _print_table(headings, rows)


NUMBERS = (
    *(COLUMNS[name].heading for name in SHOWN if COLUMNS[name].numeric),
    *("ratio", "over floor", "comparisons", "mean", "least"),
)
"""Headings whose columns are set to the right."""


def _print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right" if heading in NUMBERS else "left")
    for row in rows:
        table.add_row(*row)
    Console(width=None if Console().is_terminal else 200).print(table)


def print_summary(run: Run) -> None:
    """What became of the cases, and native against library."""
    from harness.frames import load
    from harness.report.answers import answers

    frame = load(run.folder)
    counts = Counter(frame["status"])
    print(f"{run.folder}: {', '.join(f'{n} {status}' for status, n in sorted(counts.items())) or 'no records'}")
    for sentence in answers(frame):
        print(f"- {sentence}")
