"""All records, in a table that sorts and filters."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from markupsafe import Markup

from harness.column import UNRESOLVED, Column
from harness.columns import COLUMNS, error_of
from harness.grouping import differing
from harness.record import Row
from harness.report import format
from harness.report.tables import dicts, hint
from harness.section import AbstractSection, Measurements

SCRIPT = Path(__file__).with_suffix(".js")
ORDER = {"ok": 0, "unsupported": 2}
"""What was measured comes first, then what failed, then what can't be done."""
FIRST = ("method", "scheme")
KINDS = {"axis": 0, "identity": 1, "measured": 2, "computed": 2}
"""The order of the columns after `FIRST`: the axes, what names a record, what was measured and computed of it."""
FILTER = """<p><label>Filter: <input type="search" id="filter" placeholder="words that a row must hold, e.g. jax diagonal 512"></label>
<span class="hint" id="shown" role="status"></span></p>
"""  # noqa: E501 - HTML


class Records(AbstractSection):
    """A row a record, with every column that has a heading and every axis in which the records differ."""

    name = "records"
    title = "All records"
    order = 80

    def html(self, measurements: Measurements) -> str:
        """The filter, the table and its script."""
        frame = measurements.frame
        columns = shown(frame)
        heads = Markup("").join(
            Markup('<th><button type="button">{}</button></th>').format(column.heading or column.name)
            for column in columns
        )
        records = sorted(dicts(frame), key=lambda record: ORDER.get(record["status"], 1))
        rows = Markup("\n").join(
            Markup('<tr class="{}">{}</tr>').format(
                record["status"], Markup("").join(_cell(record, column) for column in columns)
            )
            for record in records
        )
        explained = hint(
            "Click a heading to sort. Time is the median of the paired rounds of one forward solve and gradient; low"
            " and high bound its 95% interval. Errors in italics lie within"
            f" {UNRESOLVED:g} times the reference's bar: not resolved."
        )
        found = Markup(
            '<div class="scroll"><table id="records">\n<thead><tr>{}</tr></thead>\n<tbody>{}</tbody></table></div>\n'
        ).format(heads, rows)
        return f"{FILTER}{explained}{found}<script>\n{SCRIPT.read_text(encoding='utf-8')}</script>"


def shown(frame: pd.DataFrame) -> list[Column]:
    """The columns of the table."""
    apart = differing(frame)
    listed = [column for column in COLUMNS.values() if column.name in apart or (column.heading and not column.several)]
    return sorted(listed, key=_place)


def _place(column: Column) -> int:
    """Columns of the same place keep the order in which they are declared."""
    return FIRST.index(column.name) if column.name in FIRST else len(FIRST) + KINDS[column.kind]


def _cell(record: Row, column: Column) -> Markup:
    """What it shows and what it sorts by; an unresolved error is marked."""
    value = record[column.name]
    empty = format.missing(value)
    faint = not empty and record.get(f"{error_of(column.name)}_resolved") is False
    return Markup('<td data-sort="{}"{}>{}</td>').format(
        "" if empty else value, Markup(' class="faint"' if faint else ""), format.FORMATS[column.format](value)
    )
