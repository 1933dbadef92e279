"""A box of the replicates at each x."""

from __future__ import annotations

from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.patches import Patch

from harness.report.palette import color
from harness.report.panels import finish, label, method_of, panels
from harness.suite import Figure


def box(figure: Figure, data: pd.DataFrame) -> sns.FacetGrid:
    """At each x, for each method and scheme, a box of the replicates; y logarithmic."""
    column = figure.y.removesuffix("_median")
    several = data.groupby(figure.color)["scheme"].nunique().max() > 1
    names = data[figure.color] + (" " + data["scheme"] if several else "")
    data = data.assign(line=names).explode(column).astype({column: float})
    facets = sorted(data[figure.facet].unique(), key=str) if figure.facet else None
    grid = sns.FacetGrid(
        data, col=figure.facet, col_order=facets, col_wrap=3 if facets else None, height=3.6, aspect=1.25, sharey=False
    )
    order = sorted(data["line"].unique())
    palette = _box_colors(order)
    for panel, axes in panels(figure, grid, data):
        sns.boxplot(
            panel,
            x=figure.x,
            y=column,
            hue="line",
            hue_order=order,
            palette=palette,
            linewidth=0.8,
            fliersize=2,
            legend=False,
            ax=axes,
        )
        axes.set_yscale("log")
    finish(grid, figure, label(figure.x), label(figure.y))
    handles = [Patch(facecolor=palette[name], edgecolor="black", label=name) for name in order]
    grid.figure.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
    return grid


def _box_colors(names: list[str]) -> dict[str, Any]:
    """The method's colour; lighter for each further scheme of a method."""
    seen: dict[str, int] = {}
    colors = {}
    for name in names:
        nth = seen[method_of(name)] = seen.get(method_of(name), -1) + 1
        colors[name] = sns.light_palette(color(method_of(name)), n_colors=4)[3 - min(nth, 2)]
    return colors
