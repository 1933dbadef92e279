"""`harness compare`: what changed between two runs."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.show import print_table
from harness.cli.terminal import place, say
from harness.errors import InputError
from harness.lazy import lazily
from harness.written import refuse_unwritable

if TYPE_CHECKING:
    import pandas as pd

    from harness import comparison
    from harness.comparison import summary
    from harness.report import comparison_page, tables
else:
    comparison, summary, comparison_page, tables = lazily(
        "harness.comparison", "harness.comparison.summary", "harness.report.comparison_page", "harness.report.tables"
    )

MOST_LISTED = 40
"""Real changes that are printed, the largest first; the page has more, and `--json` all."""


def compare(
    before: Annotated[
        Path, typer.Argument(help="The earlier run: its folder, or a suite's folder.", show_default=False)
    ],
    after: Annotated[Path, typer.Argument(help="The later run.", show_default=False)],
    threshold: Annotated[
        str, typer.Option("--threshold", metavar="PERCENT", help="By how much a value has to change to count.")
    ] = "5%",
    relative_to: Annotated[
        str,
        typer.Option(
            "--relative-to",
            metavar="METHOD",
            help="Divide times by those of this method, which must be the same in both runs.",
            show_default=False,
        ),
    ] = "",
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="AXIS=GLOB", help="Only matching cases, e.g. method=diffrax/*. May be repeated."
        ),
    ] = None,
    across_machines: Annotated[
        bool, typer.Option("--across-machines", help="Judge times of two kinds of machine, too.")
    ] = False,
    fail_on_regression: Annotated[
        str | None,
        typer.Option(
            "--fail-on-regression",
            metavar="PERCENT",
            help="Exit with 1 if a value surely rose by more than this, or if a case that worked fails.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for other programs.")] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Also write a page into this folder.", show_default=False)
    ] = None,
) -> None:
    """Compare two runs case by case, and say which changes are real."""
    share = _percent("--threshold", threshold)
    bound = None if fail_on_regression is None else _percent("--fail-on-regression", fail_on_regression)
    if report is not None:
        refuse_unwritable(report, "--report")
    found = comparison.compare(
        before, after, threshold=share, relative_to=relative_to, only=only or (), across_machines=across_machines
    )
    page = None
    if report is not None:
        try:
            page = comparison_page.write_comparison(found, report)
        except OSError as error:
            raise InputError(report, "--report", f"the page can't be written: {error.strerror or error}") from error
    regressions = None if bound is None else len(found.regressions(bound)) + len(found.broken)
    if as_json:
        print(json.dumps(_data(found, regressions), allow_nan=False))
    else:
        _print(found)
        if page is not None:
            say(f"The page: {place(page)}")
        if regressions is not None:
            say(f"{regressions or 'No'} regression{'' if regressions == 1 else 's'} beyond {fail_on_regression}.")
    raise typer.Exit(int(bool(regressions)))


def _percent(option: str, given: str) -> float:
    """`10%` and `0.1` are the same; 10 alone is neither. Raises InputError."""
    text = given.strip()
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = math.nan
    if not 0 <= value <= (100 if text.endswith("%") else 1):
        raise InputError(option, "", f"given {given!r}", "allowed: a percentage such as 10%, or a share such as 0.1")
    return value


def _print(found: comparison.Comparison) -> None:
    say(f"before: {place(found.before.folder)}\nafter:  {place(found.after.folder)}")
    for one in found.environment:
        say(f"  {one.name}: {one.before} → {one.after}")
    for sentence in summary.sentences(found):
        say(f"- {sentence}")
    real = found.changes[found.changes["verdict"].isin(["worse", "better"])]
    if len(real):
        fields = comparison_page.change_fields(real)
        largest = comparison_page.largest(real)
        say()
        rows = [tuple(field.write(row) for field in fields) for row in tables.dicts(largest.head(MOST_LISTED))]
        print_table(tuple(field.heading for field in fields), rows)
        if len(real) > MOST_LISTED:
            say(f"and {len(real) - MOST_LISTED} smaller ones.")
    for row in tables.dicts(found.broken.head(MOST_LISTED)):
        say(f"{row['after']}: {row['method']} {row['scheme']}, {row['steps']} steps: {row['reason']}")


def _data(found: comparison.Comparison, regressions: int | None) -> dict[str, object]:
    """The comparison as JSON values."""
    return {
        "before": str(found.before.folder),
        "after": str(found.after.folder),
        "threshold": found.threshold,
        "relative_to": found.relative_to,
        "environment": [dataclasses.asdict(one) for one in found.environment],
        "other_machines": list(found.other_machines),
        "machine_ratio": found.machine_ratio,
        "only_before": found.only_before,
        "only_after": found.only_after,
        "changes": _rows(found.changes),
        "statuses": _rows(found.statuses),
        "regressions": regressions,
    }


def _rows(frame: pd.DataFrame) -> list[dict[str, object]]:
    """Numbers that aren't finite become null."""
    return [
        {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in row.items()}
        for row in tables.dicts(frame)
    ]
