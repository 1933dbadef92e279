"""Cases at their time and their memory, and the front."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.colors import to_rgb

from harness.columns import COLUMNS
from harness.figure.pareto import Pareto
from harness.grouping import KEYS, MACHINE, gradients, telling, words
from harness.report.direct_labels import Label, Limits, Room, write_labels
from harness.report.palette import Palette
from harness.report.panel_grid import PanelGrid
from harness.report.tables import dicts
from harness.report.ticks import axis_label, scale_x, scale_y

X, Y = "seconds_median", "peak_bytes"
DATA_WIDTH = 3.8
"""Of a panel without its labels, in inches."""


def data(figure: Pareto, records: pd.DataFrame) -> pd.DataFrame:
    """A row a record, with its name and whether it is on the front of its panel."""
    found = gradients(records).dropna(subset=[X, Y])
    found = found[[*KEYS, "backend", X, Y]].sort_values([X, Y])
    axes = telling(found, ["method"], but=[str(figure.facet)])
    names = [" ".join([row["method"], *words(row, axes)]) for row in dicts(found)]
    panels = found.groupby([*([figure.facet] if figure.facet else []), MACHINE], sort=False)
    best = [
        index
        for _, panel in panels
        for index in panel.index[panel[Y] < panel[Y].astype(float).cummin().shift(fill_value=math.inf)]
    ]
    return found.assign(name=names, front=found.index.isin(best))


def plot(figure: Pareto, data: pd.DataFrame, palette: Palette) -> PanelGrid:
    """Both axes logarithmic. Cases on the front are filled and named."""
    facets = sorted(data[figure.facet].unique()) if figure.facet else [None]
    room = Room.of(data.loc[data["front"], "name"], DATA_WIDTH)
    grid = PanelGrid.of(facets, in_a_row=min(3, len(facets)), height=4.0, aspect=room.panel / 4.0)
    x, y = Limits.of(data[X]), Limits.of(data[Y])
    scale_x(grid.first, X, data[X], x, room.share)
    scale_y(grid.first, Y, y.ends())
    for value, axes in grid.panels.items():
        panel = data if value is None else data[data[figure.facet] == value]
        labels = _draw(axes, panel, palette)
        write_labels(axes, labels, x, y)
        if value is not None:
            axes.set_title(f"{COLUMNS[str(figure.facet)].label} {value}")
    grid.label(axis_label(X), axis_label(Y))
    return grid


def _draw(axes: plt.Axes, panel: pd.DataFrame, palette: Palette) -> list[Label]:
    """The marks, and the names of those on the front."""
    labels = []
    for _, front in panel[panel["front"]].sort_values(X).groupby(MACHINE):
        axes.step(front[X], front[Y], where="post", color="#888888", lw=1.0, zorder=1)
    for row in dicts(panel):
        color, marker = palette.color(row["method"]), palette.marker(row["method"])
        axes.plot(
            row[X], row[Y], ls="", marker=marker, ms=7, color=color, mfc=color if row["front"] else "none", zorder=2
        )
        if row["front"]:
            labels.append(Label(row["name"], row[X], row[Y], to_rgb(color)))
    return labels
