"""A box of the replicates at each x."""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib.patches import Patch

from harness.columns import COLUMNS, error_of, samples_of
from harness.figure.box import Box
from harness.report.palette import Palette
from harness.report.panel_grid import PanelGrid
from harness.report.panels import drawn, facets_of, finish, line_names, panels


def data(figure: Box, records: pd.DataFrame) -> pd.DataFrame:
    """A row a sample, with the name of its line."""
    found = drawn(figure, records, figure.x)
    column = str(samples_of(figure.y))
    return found.assign(line=line_names(figure, found)).explode(column).astype({column: float})


def plot(figure: Box, data: pd.DataFrame, palette: Palette) -> PanelGrid:
    """At each x, for each method and setting, a box of the replicates, where unresolved an outline; y logarithmic."""
    column, error = str(samples_of(figure.y)), error_of(figure.y)
    facets = facets_of(figure, data)
    grid = PanelGrid.of(facets, in_a_row=min(3, len(facets)), height=3.6, aspect=1.25, share_y=False, despine=True)
    places = list(dict.fromkeys(data[figure.x]))
    if pd.api.types.is_numeric_dtype(data[figure.x]):
        places.sort()
    order = sorted(data["line"].unique())
    colors = palette.shades(order)
    for panel, axes in panels(figure, grid, data):
        hollow = ~panel[f"{error}_resolved"] if error else pd.Series(False, index=panel.index)
        for part, fill in ((panel[~hollow], True), (panel[hollow], False)):
            if len(part):
                sns.boxplot(
                    part,
                    x=figure.x,
                    y=column,
                    order=[place for place in places if (panel[figure.x] == place).any()],
                    hue="line",
                    hue_order=order,
                    palette=colors,
                    fill=fill,
                    linewidth=0.8,
                    fliersize=2,
                    legend=False,
                    ax=axes,
                )
        axes.set_yscale("log")
    finish(grid, figure, data, COLUMNS[figure.x].axis_label, COLUMNS[figure.y].axis_label)
    handles = [Patch(facecolor=colors[name], edgecolor="black", label=name) for name in order]
    grid.figure.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
    return grid
