"""Tables of the page as HTML. Texts are escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from harness.grouping import differing
from harness.record import Row
from harness.report.format import Cell, decimal, text


@dataclass(frozen=True)
class Field:
    """A column of a table: its heading and how its cell is written for a row. Long texts may `wrap`."""

    heading: str
    write: Callable[[Row], str]
    wrap: bool = False


def value(name: str, heading: str = "", write: Callable[[Cell], str] = text, *, wrap: bool = False) -> Field:
    """The column `name` of the rows, under its own name where it has no other heading."""
    return Field(heading or name, lambda row: write(row[name]), wrap)


def values(names: Iterable[str]) -> list[Field]:
    """Columns under their own names."""
    return [value(name) for name in names]


def interval(low: str, high: str, alone: str = "") -> Field:
    """The two ends of a 95% interval; the word `alone`, if one is given, where they are the same."""

    def write(row: Row) -> str:
        return alone if alone and row[low] == row[high] else f"{decimal(row[low])} – {decimal(row[high])}"

    return Field("95% interval", write)


def times(name: str, heading: str = "") -> Field:
    """A ratio with a times sign."""
    return value(name, heading, lambda ratio: f"{decimal(ratio)}×")


def axes(found: pd.DataFrame, always: Sequence[str], within: Sequence[str] = ()) -> list[Field]:
    """The axes that a table always has, then those in which its rows differ. `within` is as in `differing`."""
    return values([*always, *differing(found, within=within, but=always)])


def table(name: str, found: pd.DataFrame, fields: Sequence[Field], bold: Callable[[Row], bool] | None = None) -> Markup:
    """A row a row of the frame. `name` is the table's id; rows for which `bold` holds are in bold."""
    heads = Markup("").join(Markup('<th scope="col">{}</th>').format(field.heading) for field in fields)
    lines = Markup("\n").join(_line(row, fields, bold is not None and bold(row)) for row in dicts(found))
    return scrolling(
        Markup('<table id="{}">\n<thead><tr>{}</tr></thead>\n<tbody>{}</tbody></table>').format(name, heads, lines),
        f"Table: {name}",
    )


def scrolling(content: Markup, label: str) -> Markup:
    """The content in a box that scrolls, by keyboard too. `label` is what a screen reader calls it."""
    return Markup('<div class="scroll" role="region" aria-label="{}" tabindex="0">{}</div>\n').format(label, content)


def hint(words: str) -> Markup:
    """A paragraph that says what a table shows."""
    return Markup('<p class="hint">{}</p>\n').format(words)


def dicts(frame: pd.DataFrame) -> list[Row]:
    """The rows of a frame."""
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in frame.astype(object).to_numpy().tolist()]


def _line(row: Row, fields: Sequence[Field], bold: bool) -> Markup:
    cells = (
        Markup('<td class="wrap">{}</td>' if field.wrap else "<td>{}</td>").format(field.write(row)) for field in fields
    )
    return Markup('<tr class="bold">{}</tr>' if bold else "<tr>{}</tr>").format(Markup("").join(cells))
