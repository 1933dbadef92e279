"""What the drawings share: the records of a figure, the names of its lines and rows, and its panels."""

from __future__ import annotations

import re

import matplotlib.pyplot as plt
import pandas as pd

from harness.columns import COLUMNS, bar_of, error_of, interval_of, samples_of
from harness.figure.abstract import AbstractLines, AbstractPanels
from harness.grouping import KEYS, differing, gradients, telling, words
from harness.report.format import Cell
from harness.report.panel_grid import PanelGrid
from harness.report.tables import dicts


def drawn(figure: AbstractPanels, records: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The records that have a `y` and a value in each of `columns`, with no more columns than a drawing needs.

    A baseline has no gradient, and so no point in a figure of errors.
    """
    data = records.dropna(subset=[figure.y, *columns])
    if "error" in figure.y:
        data = gradients(data)
    error = error_of(figure.y)
    bounds = [*(interval_of(figure.y) or ()), *((f"{error}_resolved", bar_of(error)) if error else ())]
    named = [figure.named_by, *([figure.facet] if figure.facet else [])]
    samples = samples_of(figure.y)
    return data[list(dict.fromkeys([*KEYS, *named, *columns, figure.y, *([samples] if samples else []), *bounds]))]


def method_of(name: str) -> str:
    """Of a line or row, whose name may go on with what tells it from others."""
    return name.split(" ")[0]


def line_names(figure: AbstractLines, data: pd.DataFrame) -> list[str]:
    """What each record's line is called: what colours it, with the axes that tell apart lines of one colour."""
    names, data = data[figure.named_by], _without_varied(figure, data)
    axes = telling(data, [figure.named_by], but=[str(figure.facet), *title_axes(figure, data)])
    return [" ".join([str(name), *words(row, axes)]) for name, row in zip(names, dicts(data), strict=True)]


def row_names(figure: AbstractPanels, data: pd.DataFrame) -> list[str]:
    """What each record's row is called: its method, with the axes that tell rows apart."""
    axes = telling(data, but=["method", str(figure.facet), *title_axes(figure, data)])
    return [" ".join([row["method"], *words(row, axes)]) for row in dicts(data)]


def _without_varied(figure: AbstractPanels, data: pd.DataFrame) -> pd.DataFrame:
    """The records, with a missing value in the axis along which a line goes. Points have no line.

    That is x, where x is an axis. Where x is measured (a time, an error), it is what makes a solve finer: for adaptive
    steps the tolerance that has several values, `atol` first, and otherwise the number of steps.
    """
    if not isinstance(figure, AbstractLines):
        return data
    if figure.x in KEYS:
        return data.assign(**{figure.x: None})
    adaptive = data["stepping"] == "adaptive"
    tolerances = [axis for axis in ("atol", "rtol") if data.loc[adaptive, axis].nunique() > 1]
    finer = tolerances[0] if tolerances else "steps"
    data = data.assign(steps=data["steps"].where(adaptive))
    return data.assign(**{finer: data[finer].where(~adaptive)})


def title_axes(figure: AbstractPanels, data: pd.DataFrame) -> list[str]:
    """The axes that differ between panels and are the same within each: they stand in the panels' titles."""
    if figure.facet is None:
        return []
    return differing(data, but=[figure.facet, figure.named_by, *differing(data, within=[figure.facet])])


def facets_of(figure: AbstractPanels, data: pd.DataFrame) -> list[Cell]:
    """The panels' values in their order, the numbers in a name by their size; one None for a single panel."""
    if figure.facet is None:
        return [None]

    def natural(value: Cell) -> list[tuple[int, float, str]]:
        parts = re.split(r"(\d+(?:\.\d+)?)", str(value))
        return [(1, float(part), "") if k % 2 else (0, 0.0, part) for k, part in enumerate(parts)]

    return sorted(data[figure.facet].unique(), key=natural)


def panels(figure: AbstractPanels, grid: PanelGrid, data: pd.DataFrame) -> list[tuple[pd.DataFrame, plt.Axes]]:
    """The data of each panel, with its axes."""
    return [(part_of(figure, data, value), axes) for value, axes in grid.panels.items()]


def part_of(figure: AbstractPanels, data: pd.DataFrame, value: Cell) -> pd.DataFrame:
    """The data of the panel of this value; all of it where there is a single panel."""
    return data if figure.facet is None else data[data[figure.facet] == value]


def finish(grid: PanelGrid, figure: AbstractPanels, data: pd.DataFrame, x: str, y: str) -> None:
    """Label axes and panels."""
    grid.label(x, y)
    for value, title in titles(figure, data).items():
        grid.panels[value].set_title(title)


def titles(figure: AbstractPanels, data: pd.DataFrame) -> dict[Cell, str]:
    """The title of each panel: its value, with the axes that differ between panels only. Empty for a single panel."""
    if figure.facet is None:
        return {}
    data = _without_varied(figure, data)
    axes = title_axes(figure, data)
    return {
        row[figure.facet]: ", ".join([f"{COLUMNS[figure.facet].label} {row[figure.facet]}", *words(row, axes)])
        for row in dicts(data.drop_duplicates(figure.facet))
    }
