"""Panels of lines: at most seven in each, so that a reader can tell them apart."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from harness.figure.abstract import AbstractLines
from harness.report.panels import facets_of, method_of, part_of, titles

MOST_LINES = 7
COLUMN = "panel"
"""The column of the data that says in which panel a line is."""


@dataclass(frozen=True)
class Panel:
    """A panel: its title, and what the names of its lines share, which a label leaves out."""

    title: str
    prefix: str


def arranged(figure: AbstractLines, data: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Panel], int]:
    """The data with its `COLUMN`, the panels by its values in their order, and how many stand in a row.

    A panel for each value of the facet. Where any would have more lines than seven, a panel for each backend too, or
    where lines aren't methods for as many lines as fit.
    """
    facets = facets_of(figure, data)
    named = titles(figure, data)
    parts = [(facet, part_of(figure, data, facet)) for facet in facets]
    crowded = max(part["line"].nunique() for _, part in parts) > MOST_LINES
    placed, shown = [], {}
    widest = 1
    for facet, part in parts:
        groups = _groups(figure, part) if crowded else [("", list(part["line"].unique()))]
        widest = max(widest, len(groups))
        for name, lines in groups:
            title = ", ".join(filter(None, [named.get(facet, ""), name]))
            key = f"{facet}|{name}"
            shown[key] = Panel(title, f"{name}/" if figure.named_by == "method" and name else "")
            placed.append(part[part["line"].isin(lines)].assign(**{COLUMN: key}))
    return pd.concat(placed), shown, min(5, widest) if crowded else min(3, len(shown))


def _groups(figure: AbstractLines, part: pd.DataFrame) -> list[tuple[str, list[str]]]:
    """Names of groups with their lines, each of at most seven."""
    lines = sorted(part["line"].unique())
    whole = {"": lines}
    if figure.named_by == "method":
        whole = {}
        for line in lines:
            whole.setdefault(method_of(line).partition("/")[0], []).append(line)
    found = []
    for name, several in whole.items():
        count = -(-len(several) // MOST_LINES)
        size = -(-len(several) // count)
        for k in range(count):
            numbered = f"{k + 1} of {count}" if count > 1 else ""
            found.append((" ".join(filter(None, [name, numbered])), several[k * size : (k + 1) * size]))
    return found
