"""What the chart and the table show at first."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from harness.columns import COLUMNS, with_role
from harness.figure import Figure
from harness.figure.abstract import AbstractLines, AbstractPanels
from harness.grouping import differing

FIRST = ("method", "scheme")
KINDS = {"axis": 0, "identity": 1, "measured": 2, "computed": 2}
"""The order of the table's columns after `FIRST`: the axes, what names a record, what was measured and computed."""


@dataclass(frozen=True)
class View:
    """The columns of the chart, whether its axes are logarithmic, and the columns of the table in their order."""

    x: str
    y: str
    color: str
    facet: str
    logx: bool
    logy: bool
    columns: tuple[str, ...]


def first_view(frame: pd.DataFrame, figures: list[Figure]) -> View:
    """That of the suite's first figure that has data; otherwise time, or what else was measured, over the steps."""
    columns = table_columns(frame)
    for figure in figures:
        if isinstance(figure, AbstractPanels) and frame[figure.y].notna().any():
            x, color = (figure.x, figure.color) if isinstance(figure, AbstractLines) else ("method", "method")
            return _view(frame, x, figure.y, color, figure.facet or "", columns)
    measures = [name for name in with_role("y") if frame[name].notna().any()]
    x = "steps" if "steps" in differing(frame) else "method"
    return _view(frame, x, measures[0] if measures else "seconds_median", "method", "", columns)


def table_columns(frame: pd.DataFrame) -> tuple[str, ...]:
    """The axes in which the records differ, every other column that has a heading and a value, and at last the reason.

    An axis that is the same in all records can be chosen in the table; it isn't there at first.
    """
    apart = {"method", *differing(frame)}
    listed = [
        column
        for column in COLUMNS.values()
        if column.name in apart or (column.kind != "axis" and column.heading and not column.several)
        if frame[column.name].notna().any()
    ]
    names = [column.name for column in sorted(listed, key=lambda column: _place(column.name))]
    return (*names, *(["reason"] if frame["reason"].notna().any() else []))


def _place(name: str) -> int:
    """Columns of the same place keep the order in which they are declared."""
    return FIRST.index(name) if name in FIRST else len(FIRST) + KINDS[COLUMNS[name].kind]


def _view(frame: pd.DataFrame, x: str, y: str, color: str, facet: str, columns: tuple[str, ...]) -> View:
    return View(x, y, color, facet, _many_sizes(frame, x), _many_sizes(frame, y), columns)


def _many_sizes(frame: pd.DataFrame, name: str) -> bool:
    """Whether a logarithmic axis suits: numbers that are all positive, as times, sizes and errors are."""
    return COLUMNS[name].numeric and bool((frame[name].dropna() > 0).all())
