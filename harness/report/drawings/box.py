"""A box of the replicates at each x."""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib.patches import Patch

from harness.report.palette import Palette
from harness.report.panels import error_of, facets_of, finish, label, line_names, panels, wrap
from harness.suite import Figure


def box(figure: Figure, data: pd.DataFrame) -> sns.FacetGrid:
    """At each x, for each method and setting, a box of the replicates, where unresolved an outline; y logarithmic."""
    column, error = figure.y.removesuffix("_median"), error_of(figure)
    data = data.assign(line=line_names(figure, data)).explode(column).astype({column: float})
    facets = facets_of(figure, data)
    grid = sns.FacetGrid(
        data, col=figure.facet, col_order=facets, col_wrap=wrap(facets, 3), height=3.6, aspect=1.25, sharey=False
    )
    places = list(dict.fromkeys(data[figure.x]))
    if pd.api.types.is_numeric_dtype(data[figure.x]):
        places.sort()
    order = sorted(data["line"].unique())
    palette = Palette.of(data).shades(order)
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
                    palette=palette,
                    fill=fill,
                    linewidth=0.8,
                    fliersize=2,
                    legend=False,
                    ax=axes,
                )
        axes.set_yscale("log")
    finish(grid, figure, data, label(figure.x), label(figure.y))
    handles = [Patch(facecolor=palette[name], edgecolor="black", label=name) for name in order]
    grid.figure.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
    return grid
