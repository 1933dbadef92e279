"""`harness show`: a run in the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.imports import PLUGINS, tell_plugins
from harness.cli.terminal import place, plain, say
from harness.columns import COLUMNS
from harness.lazy import lazily
from harness.record import Row
from harness.store import DAMAGED, Run, open_run

if TYPE_CHECKING:
    from rich import console, table

    from harness import frames, grouping
    from harness.report import format, ratios, read, tables
    from harness.report.answer import general, sentences
else:
    console, table = lazily("rich.console", "rich.table")
    frames, grouping = lazily("harness.frames", "harness.grouping")
    format, ratios, read, tables = lazily(
        "harness.report.format", "harness.report.ratios", "harness.report.read", "harness.report.tables"
    )
    general, sentences = lazily("harness.report.answer.general", "harness.report.answer.sentences")


def show(
    run: Annotated[
        Path, typer.Argument(help="A run's folder, or the name of a suite: its newest run.", show_default=False)
    ],
    repair: Annotated[
        bool,
        typer.Option("--repair", help="First move damaged lines of the records to damaged.jsonl, in the run's folder."),
    ] = False,
    plugins: Annotated[bool, typer.Option("--plugins", help=PLUGINS)] = False,
) -> None:
    """Print a run's records and its summary."""
    opened = open_run(run)
    if plugins:
        tell_plugins([opened])
    if repair:
        count = opened.repair()
        say(f"{count} damaged {'line' if count == 1 else 'lines'} set aside" + (f" in {DAMAGED}" if count else ""))
    print_records(opened)
    print_failures(opened)
    print_summary(opened, plugins=plugins)


SHOWN = ("status", "seconds_median", "peak_bytes", "gradient_error_theta_median", "adjoint_error_theta_median")
"""The columns that are printed for a record, in addition to its method, scheme and setting."""


def print_records(run: Run) -> None:
    """One row per record."""
    columns = [COLUMNS[name] for name in SHOWN]
    frame = frames.load(run.folder).sort_values(["block", "seconds_median"])
    others = grouping.telling(frame, ("method", "scheme", "problem", "noise", "dim", "batch", "steps"))
    rows = [
        (
            row["method"],
            row["scheme"],
            " ".join([_setting(row), *grouping.words(row, others)]),
            *(format.FORMATS[column.format](row[column.name]) for column in columns),
        )
        for row in tables.dicts(frame)
    ]
    print_table(("method", "scheme", "setting", *(str(column.heading) for column in columns)), rows)


MOST_REASONS = 20
"""At most this many reasons are printed; the page has all of them."""
MOST_NAMES = 6
"""So many methods and schemes are named for one reason."""


def print_failures(run: Run) -> None:
    """Why cases failed: one line per status and reason, the most frequent first.

    Unsupported cases are not printed: `--dry-run` and the page list them.
    """
    rows = [row for row in run.rows() if row["status"] not in ("ok", "unsupported")]
    counts = Counter((row["status"], row["reason"]) for row in rows)
    names: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        names.setdefault((row["status"], row["reason"]), {})[f"{row['method']} {row['scheme']}"] = None
    for (status, reason), count in counts.most_common(MOST_REASONS):
        several = list(names[status, reason])
        more = [f"{len(several) - MOST_NAMES} more"] if len(several) > MOST_NAMES else []
        told = format.listing([*several[:MOST_NAMES], *more])
        say(f"{status}: {told} ({format.plural(count, 'case')}): {reason}")
    if len(counts) > MOST_REASONS:
        say(f"… and {len(counts) - MOST_REASONS} more reasons, on the page.")


def _setting(row: Row) -> str:
    return f"{row['problem']} {row['noise']} d{row['dim']} b{row['batch']} n{row['steps']}"


def print_speedups(run: Run) -> None:
    """One row per paired ratio of a native method to a library's."""
    pairs = frames.speedups(frames.load(run.folder))
    others = grouping.telling(pairs, [*ratios.PLACE, "brownian"])
    rows = [
        (
            row["native"],
            row["library"],
            f"{format.decimal(row['ratio'])}×",
            f"{format.decimal(row['low'])} – {format.decimal(row['high'])}",
            format.decimal(row["floor_ratio"]),
            row["brownian"],
            ratios.where(row, others),
        )
        for row in tables.dicts(pairs)
    ]
    print_table(("native", "library", "ratio", "95% interval", "over floor", "brownian", "with"), rows)


def print_ratios(run: Run) -> None:
    """One row per native method, library method and sampler: the mean and the lowest of their paired ratios."""
    found = ratios.ratios(frames.speedups(frames.load(run.folder)))
    others = grouping.differing(found, but=["brownian"])
    rows = [
        (
            row["native"],
            row["library"],
            row["brownian"],
            str(row["comparisons"]),
            f"{format.decimal(row['mean'])}×",
            f"{format.decimal(row['least'])}×",
            format.decimal(row["floor"]),
            ", ".join([row["where"], *grouping.words(row, others)]),
        )
        for row in tables.dicts(found)
    ]
    headings = ("native", "library", "brownian", "comparisons", "mean", "least", "over floor", "worst case")
    print_table(headings, rows)


NUMBERS = (
    *(COLUMNS[name].heading for name in SHOWN if COLUMNS[name].numeric),
    *("ratio", "over floor", "comparisons", "mean", "least"),
)
"""The headings of right-aligned columns."""


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table as wide as the terminal, or 200 characters wide if there is no terminal."""
    printed = table.Table(box=None, pad_edge=False)
    for heading in headings:
        printed.add_column(heading, justify="right" if heading in NUMBERS else "left")
    for row in rows:
        printed.add_row(*map(plain, row))
    terminal = console.Console()
    if not terminal.is_terminal:
        terminal = console.Console(width=200)
    terminal.print(printed)


def print_summary(run: Run, *, plugins: bool) -> None:
    """The number of cases per status, the answer to the suite's question, and what the records say in general.

    Theory knows the schemes and problems of the suite's plugins only where these are imported.
    """
    measurements, _ = read.read([run], plugins=plugins)
    counts = Counter(measurements.frame["status"])
    say(f"{place(run.folder)}: {', '.join(f'{n} {status}' for status, n in sorted(counts.items())) or 'no records'}")
    say(measurements.suite.title)
    for sentence in sentences.answer(measurements):
        say(f"- {sentence}")
    say("In general:")
    for sentence in general.answers(measurements.frame):
        say(f"- {sentence}")
