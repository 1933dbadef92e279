"""A row a method."""

from __future__ import annotations

import pandas as pd
import seaborn as sns

from harness.columns import COLUMNS, error_of, interval_of
from harness.figure.points import Points
from harness.report.direct_labels import Limits
from harness.report.palette import Palette
from harness.report.panel_grid import PanelGrid
from harness.report.panels import drawn, facets_of, finish, method_of, panels, row_names
from harness.report.ticks import axis_label, write_ticks

DATA_WIDTH = 3.6
"""Of a panel without the names of its rows, in inches."""
ROW_LETTER = 0.08
"""The width of a letter of such a name, in inches."""


def data(figure: Points, records: pd.DataFrame) -> pd.DataFrame:
    """A row a record, with the name of its row in the figure."""
    found = drawn(figure, records)
    return found.assign(row=row_names(figure, found))


def plot(figure: Points, data: pd.DataFrame, palette: Palette) -> PanelGrid:
    """A row a method, a point at its value on a logarithmic axis, the smallest first."""
    facets = facets_of(figure, data)
    height = 1.0 + 0.24 * data["row"].nunique()
    in_a_row = min(2, len(facets))
    width = DATA_WIDTH + ROW_LETTER * data["row"].map(len).max()
    grid = PanelGrid.of(
        facets, in_a_row=in_a_row, height=height, aspect=width / height, share_y=False, every_x=True, despine=True
    )
    interval, error = interval_of(figure.y), error_of(figure.y)
    shown = pd.concat([data[name] for name in (figure.y, *(interval or ()))])
    limits = Limits.of(shown).ends()
    grid.first.set_xscale("log")
    grid.first.set_xlim(limits)  # matplotlib finds none where all values are equal
    write_ticks(grid.first.xaxis, COLUMNS[figure.y].format, *limits)
    for panel, axes in panels(figure, grid, data):
        panel = panel.sort_values(figure.y)
        order = list(dict.fromkeys(panel["row"]))
        colors = {name: palette.color(method_of(name)) for name in order}
        sns.stripplot(
            panel,
            x=figure.y,
            y="row",
            order=order,
            hue="row",
            palette=colors,
            legend=False,
            jitter=False,
            size=8,
            ax=axes,
        )
        rows = panel.drop_duplicates("row").set_index("row").loc[order]
        if error:
            for k, hollow in enumerate(~rows[f"{error}_resolved"]):
                if hollow:
                    style = {"mfc": "white", "mec": colors[order[k]], "zorder": 3}
                    axes.plot(rows[figure.y].iloc[k], k, marker="o", ms=8, **style)
        if interval:
            low, high = interval
            ends = [rows[figure.y] - rows[low], rows[high] - rows[figure.y]]
            spread = [length.clip(lower=0).fillna(0) for length in ends]  # an infinite value has none
            axes.errorbar(rows[figure.y], range(len(order)), xerr=spread, fmt="none", ecolor="black", elinewidth=0.9)
        axes.grid(True, axis="both", alpha=0.5)
    finish(grid, figure, data, axis_label(figure.y), "")
    return grid
