"""Panels of lines: at most seven in each, so that a reader can tell them apart."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from harness.figure.abstract import AbstractLines
from harness.grouping import MACHINE
from harness.report.panels import facets_of, method_of, part_of, titles

MOST_LINES = 7
MOST_IN_A_ROW = 3
"""Panels: of more the texts would be too small on a page."""
COLUMN = "panel"
"""The column of the data that says in which panel a line is."""


@dataclass(frozen=True)
class Panel:
    """A panel: its title, and what the names of its lines share, which a label leaves out: a start and an end."""

    title: str
    prefix: str
    suffix: str

    def label(self, line: str) -> str:
        """What a line is called in the panel."""
        return line.removeprefix(self.prefix).removesuffix(self.suffix)


def arranged(
    figure: AbstractLines, data: pd.DataFrame, *, backends_apart: bool = False
) -> tuple[pd.DataFrame, dict[str, Panel], int]:
    """The data with its `COLUMN`, the panels by its values in their order, and how many stand in a row.

    A panel for each value of the facet. Where any would have more lines than seven, or with `backends_apart`, a panel
    for each machine and backend too, and for as many approaches, or lines that aren't methods, as fit.
    """
    facets = facets_of(figure, data)
    named = titles(figure, data)
    parts = [(facet, part_of(figure, data, facet)) for facet in facets]
    crowded = backends_apart or max(part["line"].nunique() for _, part in parts) > MOST_LINES
    placed, shown = [], {}
    counts = set()
    for facet, part in parts:
        groups = _groups(figure, part) if crowded else [_Group(tuple(part["line"].unique()))]
        counts.add(len(groups))
        for group in groups:
            title = ", ".join(filter(None, [named.get(facet, ""), group.title]))
            key = f"{facet}|{group.title}"
            prefix = group.shared
            shown[key] = Panel(title, prefix, f" {group.machine}" if group.machine else "")
            placed.append(part[part["line"].isin(group.lines)].assign(**{COLUMN: key}))
    in_a_row = min(MOST_IN_A_ROW, len(shown))
    if len(counts) == 1 and 1 < max(counts) <= MOST_IN_A_ROW:
        in_a_row = max(counts)  # a row a value of the facet
    return pd.concat(placed), shown, in_a_row


@dataclass(frozen=True)
class _Group:
    """Lines that share a panel. `backend` and `machine` are those of all of them, "" where that isn't told."""

    lines: tuple[str, ...]
    backend: str = ""
    machine: str = ""
    part: str = ""

    @property
    def shared(self) -> str:
        """What the title says of all lines: their backend and, where it names one approach, that."""
        method = f"{self.backend}/{self.part} "
        if self.backend and all(line.startswith(method) for line in self.lines):
            return method
        return f"{self.backend}/" if self.backend else ""

    @property
    def title(self) -> str:
        return ", ".join(filter(None, [self.backend, self.machine, self.part]))


def _groups(figure: AbstractLines, part: pd.DataFrame) -> list[_Group]:
    """Groups of at most seven lines."""
    machines = dict(zip(part["line"], part[MACHINE], strict=True))
    several = part[MACHINE].nunique() > 1
    whole: dict[tuple[str, str], list[str]] = {}
    for line in sorted(machines):
        backend = method_of(line).partition("/")[0] if figure.named_by == "method" else ""
        whole.setdefault((str(machines[line]) if several else "", backend), []).append(line)
    found = []
    for (machine, backend), lines in sorted(whole.items()):
        parts = _by_approach(lines) if backend else _in_order(lines)
        found += [_Group(tuple(part), backend, machine, title) for title, part in parts]
    return found


def _by_approach(lines: list[str]) -> list[tuple[str, list[str]]]:
    """Lines of methods in groups of at most seven, with their titles: an approach's stay together if they fit."""
    if len(lines) <= MOST_LINES:
        return [("", lines)]
    approaches: dict[str, list[str]] = {}
    for line in lines:
        approaches.setdefault(method_of(line).partition("/")[2], []).append(line)
    found: list[tuple[list[str], list[str]]] = []
    for approach, own in approaches.items():
        if len(own) > MOST_LINES:
            found += [([f"{approach} {title}"], part) for title, part in _in_order(own)]
        elif found and len(found[-1][1]) + len(own) <= MOST_LINES:
            found[-1] = ([*found[-1][0], approach], found[-1][1] + own)
        else:
            found.append(([approach], own))
    return [(" to ".join([names[0], names[-1]]) if len(names) > 2 else ", ".join(names), part) for names, part in found]


def _in_order(lines: list[str]) -> list[tuple[str, list[str]]]:
    """Groups of at most seven lines, about equally many in each."""
    count = -(-len(lines) // MOST_LINES)
    size = -(-len(lines) // count)
    return [(f"{k + 1} of {count}" if count > 1 else "", lines[k * size : (k + 1) * size]) for k in range(count)]
