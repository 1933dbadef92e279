"""The records and what is said of their columns, as the page's script reads them."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import pandas as pd

from harness.column import Column
from harness.columns import COLUMNS, interval_of, samples_of
from harness.grouping import differing
from harness.report.explore.view import View
from harness.report.format import Cell
from harness.report.palette import Palette

DIGITS = 9
"""Significant digits of a number in the page: more than any measurement has."""
STATUSES = {"ok": 0, "unsupported": 2}
"""What was measured comes first, then what failed, then what can't be done."""
LEFT_OUT = ("schema_version", "suite")
"""Columns that say nothing within one page."""


@dataclass(frozen=True)
class Shown:
    """A column as the page's script knows it.

    `values` has one for each record, "Infinity" for an error without bound; where `words` isn't empty, indices into it.
    `varies` says that the records differ in an axis, `low` and `high` name the columns of a median's interval, and
    `resolved` that which says whether an error is larger than the reference's bar.
    """

    name: str
    label: str
    heading: str
    unit: str
    meaning: str
    format: str
    kind: str
    numeric: bool
    whole: bool
    measure: bool
    varies: bool
    low: str
    high: str
    resolved: str
    values: list[float | str | None]
    words: list[str]


def content(frame: pd.DataFrame, view: View) -> str:
    """JSON: the columns with their values, colours and markers, and the view that is shown at first.

    The records come in the order of `STATUSES`, the columns of the view before the others.
    """
    frame = frame.sort_values(
        "status", key=lambda statuses: statuses.map(lambda s: STATUSES.get(str(s), 1)), kind="stable"
    )
    place = {name: index for index, name in enumerate(view.columns)}
    columns = sorted(shown_columns(frame), key=lambda column: place.get(column.name, len(place)))
    apart = set(differing(frame))
    palette = Palette.of(frame)
    return json.dumps(
        {
            "columns": [vars(_shown(column, frame, apart)) for column in columns],
            "colors": {
                name: {value: palette.color(value) for value in _texts(frame[name])} for name in ("method", "approach")
            },
            "markers": {value: palette.marker(value) for value in _texts(frame["backend"])},
            "view": vars(view),
        },
        separators=(",", ":"),
        allow_nan=False,
    )


def shown_columns(frame: pd.DataFrame) -> list[Column]:
    """Those of one value a record that has at least one value."""
    return [
        column
        for column in COLUMNS.values()
        if not column.several and column.type is not object and column.name not in LEFT_OUT
        if frame[column.name].notna().any()
    ]


def _shown(column: Column, frame: pd.DataFrame, apart: set[str]) -> Shown:
    name = column.name
    values = [_plain(value) for value in frame[name]]
    words = [] if column.numeric else sorted({value for value in values if isinstance(value, str)})
    place = {word: index for index, word in enumerate(words)}
    low, high = interval_of(name) or ("", "")
    resolved = f"{samples_of(name)}_resolved"
    numbers = [value for value in values if not isinstance(value, str) and value is not None]
    return Shown(
        name=name,
        label=_label(column),
        heading=column.heading or _label(column),
        unit=column.unit,
        meaning=column.meaning,
        format=column.format,
        kind=column.kind,
        numeric=column.numeric,
        whole=column.numeric and all(float(number).is_integer() for number in numbers),
        measure="y" in column.roles,
        varies=name in apart,
        low=low,
        high=high,
        resolved=resolved if resolved in COLUMNS else "",
        values=values if column.numeric else [place[v] if isinstance(v, str) else None for v in values],
        words=words,
    )


def _label(column: Column) -> str:
    """A column's label, with what tells it from its median where it isn't that."""
    suffix = column.name.rpartition("_")[2] if column.kind == "computed" else ""
    return f"{column.label}, {suffix}" if suffix in ("low", "high", "resolved") else column.label


def _plain(value: Cell) -> float | str | None:
    """As JSON has it. What isn't finite is a word or nothing."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    number = float(value)
    if math.isnan(number):
        return None
    if math.isinf(number):
        return "Infinity"
    return int(number) if number.is_integer() else float(f"{number:.{DIGITS}g}")


def _texts(values: pd.Series) -> list[str]:
    return sorted(set(values.dropna()))
