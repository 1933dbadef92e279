"""Lines over a logarithmic axis."""

from __future__ import annotations

from typing import TypedDict

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.ticker import NullLocator

from harness.column import UNRESOLVED
from harness.columns import COLUMNS, bar_of, error_of, interval_of
from harness.figures.scaling import Scaling
from harness.report.palette import Color, Palette
from harness.report.panels import drawn, facets_of, finish, line_names, panels, wrap


class LineStyle(TypedDict):
    """How a line of a figure is drawn, in matplotlib's names."""

    color: Color
    marker: str


MOST_TICKS = 8
"""So many values of x are each marked; more are left to matplotlib."""


def data(figure: Scaling, records: pd.DataFrame) -> pd.DataFrame:
    """A row a record, with the name of its line."""
    found = drawn(figure, records, figure.x)
    return found.assign(line=line_names(figure, found))


def plot(figure: Scaling, data: pd.DataFrame, palette: Palette) -> sns.FacetGrid:
    """Both axes logarithmic, a line a method and setting (named where a method has several)."""
    facets = facets_of(figure, data)
    names = sorted(data["line"].unique())
    colors = palette.shades(names)
    grid = sns.FacetGrid(
        data,
        col=figure.facet,
        col_order=facets,
        col_wrap=wrap(facets, 3),
        height=3.6,
        aspect=1.15,
    )
    for panel, axes in panels(figure, grid, data):
        for name, group in panel.groupby("line", sort=True):
            style: LineStyle = {"color": colors[str(name)], "marker": palette.marker(str(name))}
            dash = palette.dashes(str(name))
            _draw_line(axes, figure, str(name), _function(figure, group), style=style, dash=dash)
        axes.set_yscale("log")
        _scale_x(axes, panel[figure.x])
    finish(grid, figure, data, COLUMNS[figure.x].axis_label, COLUMNS[figure.y].axis_label)
    handles: dict[str, Artist] = {}
    for axes in grid.axes.flat:
        handles |= {name: handle for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    listed = [name for name in names if name in handles]
    grid.figure.legend(
        [handles[name] for name in listed],
        listed,
        loc="center left",
        bbox_to_anchor=(1.0, 0.5),
        frameon=False,
        fontsize=8,
    )
    return grid


def _function(figure: Scaling, group: pd.DataFrame) -> pd.DataFrame:
    """One y for each x. The same case measured in several runs counts by its median."""
    error = error_of(figure.y)
    bars = [bar_of(error)] if error else []
    columns = [c for c in (figure.y, *(interval_of(figure.y) or ()), *bars) if c != figure.x]
    return group.groupby(figure.x)[list(dict.fromkeys(columns))].median().reset_index()


def _draw_line(
    axes: plt.Axes, figure: Scaling, name: str, line: pd.DataFrame, *, style: LineStyle, dash: tuple[float, ...]
) -> None:
    axes.plot(
        line[figure.x],
        line[figure.y],
        label=name,
        ms=5,
        lw=1.4,
        ls="-" if not dash else (0, dash),
        **style,
    )
    interval = interval_of(figure.y)
    if interval:
        axes.fill_between(line[figure.x], line[interval[0]], line[interval[1]], color=style["color"], alpha=0.15)
    error = error_of(figure.y)
    if error:
        hollow = line[line[figure.y] <= UNRESOLVED * line[bar_of(error)]]
        axes.plot(hollow[figure.x], hollow[figure.y], ls="", mfc="white", zorder=3, **style)


def _scale_x(axes: plt.Axes, values: pd.Series) -> None:
    """Logarithmic for numbers. Where they are few and whole, as steps are, the ticks are the values themselves."""
    if not pd.api.types.is_numeric_dtype(values):
        return
    axes.set_xscale("log")
    ticks = sorted(values.unique())
    if len(ticks) <= MOST_TICKS and all(float(tick).is_integer() for tick in ticks):
        axes.set_xticks(ticks, [f"{int(tick)}" for tick in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
