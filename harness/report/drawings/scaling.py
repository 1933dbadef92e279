"""Lines over a logarithmic axis."""

from __future__ import annotations

from typing import Any

import pandas as pd
import seaborn as sns

from harness.frames import UNRESOLVED
from harness.report.palette import color, dashes, marker
from harness.report.panels import finish, interval_of, label, method_of, panels
from harness.suite import Figure


def scaling(figure: Figure, data: pd.DataFrame) -> sns.FacetGrid:
    """Both axes logarithmic, a line a method (and scheme, where a method has several)."""
    facets = sorted(data[figure.facet].unique(), key=str) if figure.facet else None
    grid = sns.FacetGrid(
        data, col=figure.facet, col_order=facets, col_wrap=3 if facets else None, height=3.6, aspect=1.15
    )
    interval = interval_of(figure)
    for panel, axes in panels(figure, grid, data):
        for name, line in _lines(figure, panel):
            axes.plot(line[figure.x], line[figure.y], **_line_style(name))
            if interval:
                low, high = interval
                axes.fill_between(line[figure.x], line[low], line[high], color=color(method_of(name)), alpha=0.15)
            if figure.y.startswith("gradient_error"):
                hollow = line[line[figure.y] <= UNRESOLVED * line["reference_error"]]
                axes.plot(
                    hollow[figure.x],
                    hollow[figure.y],
                    ls="",
                    marker=marker(name),
                    mfc="white",
                    mec=color(method_of(name)),
                    zorder=3,
                )
        axes.set_xscale("log" if pd.api.types.is_numeric_dtype(panel[figure.x]) else "linear")
        axes.set_yscale("log")
    finish(grid, figure, label(figure.x), label(figure.y))
    handles: dict[str, Any] = {}
    for axes in grid.axes.flat:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(name, handle)
    grid.figure.legend(
        handles.values(),
        handles.keys(),
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
        fontsize=8,
    )
    return grid


def _lines(figure: Figure, panel: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The lines of a panel. Of what varies besides the median is taken, so that a line is a function."""
    several = figure.color != "scheme" and panel.groupby(figure.color)["scheme"].nunique().max() > 1
    keys = [figure.color, *(["scheme"] if several else [])]
    lines = []
    for key, group in panel.groupby(keys, sort=True):
        columns = [c for c in (figure.y, *interval_of(figure), "reference_error") if c != figure.x]
        line = group.groupby(figure.x)[list(dict.fromkeys(columns))].median().reset_index()
        lines.append((" ".join(map(str, key)), line))
    return lines


def _line_style(name: str) -> dict[str, Any]:
    dash = dashes(name)
    return {
        "label": name,
        "color": color(method_of(name)),
        "marker": marker(name),
        "markersize": 5,
        "linewidth": 1.4,
        "linestyle": "-" if not dash else (0, dash),
    }
