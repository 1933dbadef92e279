"""Lines over a logarithmic axis."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from harness.column import UNRESOLVED
from harness.columns import COLUMNS, bar_of, error_of, interval_of
from harness.figure.scaling import Scaling
from harness.grouping import MACHINE
from harness.report.answer.growth import LEAST, slope
from harness.report.direct_labels import LEAST_GAP, ROOM, Label, Limits, power, spread, write_labels
from harness.report.line_panels import COLUMN, Panel, arranged
from harness.report.palette import Color, Palette
from harness.report.panel_grid import PanelGrid
from harness.report.panels import drawn, line_names
from harness.report.ticks import axis_label, categories, name_x, scale_x, scale_y

GUIDES = {"bytes": (1.0, 0.5), "seconds": (1.0,), "error": (-0.5, -1.0)}
"""The slopes of the guides over an axis that grows, by how y is written: what theory says of a whole solve in memory
and of √N checkpoints, of the time, and of schemes of strong order ½ and 1."""
POWERS = {1.0: "∝ N", 0.5: "∝ √N", -0.5: "∝ 1/√N", -1.0: "∝ 1/N"}
GROWING = ("steps", "dim", "batch")


def data(figure: Scaling, records: pd.DataFrame) -> pd.DataFrame:
    """A row a record, with the name of its line."""
    found = drawn(figure, records, figure.x)
    if not pd.api.types.is_numeric_dtype(found[figure.x]):
        place = [name for name in (figure.x, figure.facet, figure.color) if name is not None]
        single = found[MACHINE].nunique() == 1
        if single and not found.duplicated(place).any():  # what follows from x, as a scheme from its noise, isn't told
            return found.assign(line=found[figure.color])
    return found.assign(line=line_names(figure, found))


def plot(figure: Scaling, data: pd.DataFrame, palette: Palette) -> PanelGrid:
    """Both axes logarithmic, a line a method and setting, named at its end with its slope; few lines in a panel."""
    placed, shown, in_a_row = arranged(figure, data)
    colors = palette.shades(sorted(data["line"].unique()))
    single = len(shown) == 1
    grid = PanelGrid.of(list(shown), in_a_row=in_a_row, height=4.0 if single else 3.3, aspect=1.6 if single else 1.3)
    named = None if pd.api.types.is_numeric_dtype(placed[figure.x]) else categories(figure.x, placed[figure.x])
    x = Limits.of(placed[figure.x]) if named is None else Limits.of_places(len(named))
    y = Limits.of(placed[figure.y])
    scale_y(grid.first, figure.y, y.ends())
    if named is None:
        scale_x(grid.first, figure.x, placed[figure.x], x.ends(ROOM))
    else:
        name_x(grid.first, named, x.ends(ROOM))
    for key, panel in shown.items():
        of, axes = placed[placed[COLUMN] == key], grid.panels[key]
        lines = {str(name): _function(figure, group, named) for name, group in of.groupby("line", sort=True)}
        for name, line in lines.items():
            _draw_line(axes, figure, name, line, palette, colors[name])
        axes.set_title(panel.title)
        if named is None:
            _guides(axes, figure, of, y)
        write_labels(axes, [_label(figure, panel, *item, colors[item[0]]) for item in lines.items()], x, y)
    grid.label(axis_label(figure.x), axis_label(figure.y))
    return grid


def _label(figure: Scaling, panel: Panel, name: str, line: pd.DataFrame, color: Color) -> Label:
    last = line.iloc[-1]
    return Label(panel.label(name) + _power(figure, line), last[figure.x], last[figure.y], color)


def _function(figure: Scaling, group: pd.DataFrame, named: list[str] | None) -> pd.DataFrame:
    """One y for each x, a category's x being its place. The same case measured in several runs counts by its median."""
    error = error_of(figure.y)
    bars = [bar_of(error)] if error else []
    columns = [c for c in (figure.y, *(interval_of(figure.y) or ()), *bars) if c != figure.x]
    several = bool(group[figure.x].duplicated().any())
    line = group[list(dict.fromkeys([figure.x, *columns]))]
    line = line.groupby(figure.x).median().reset_index() if several else line.sort_values(figure.x)
    if named is None:
        return line
    return line.assign(**{figure.x: line[figure.x].map(named.index)}).sort_values(figure.x)


def _power(figure: Scaling, line: pd.DataFrame) -> str:
    """The slope over an axis that grows, in parentheses after the line's name."""
    if figure.x not in GROWING or len(line) < LEAST or not (line[figure.y] > 0).all():
        return ""
    return power(slope(line, figure.x, figure.y))


def _draw_line(axes: plt.Axes, figure: Scaling, name: str, line: pd.DataFrame, palette: Palette, color: Color) -> None:
    dash, marker = palette.dashes(name), palette.marker(name)
    axes.plot(
        line[figure.x], line[figure.y], label=name, ms=4.5, lw=1.5, ls=(0, dash) if dash else "-", color=color,
        marker=marker,
    )  # fmt: skip
    interval = interval_of(figure.y)
    if interval:
        axes.fill_between(line[figure.x], line[interval[0]], line[interval[1]], color=color, alpha=0.15)
    error = error_of(figure.y)
    if error:
        hollow = line[line[figure.y] <= UNRESOLVED * line[bar_of(error)]]
        if len(hollow):
            axes.plot(hollow[figure.x], hollow[figure.y], ls="", mfc="white", zorder=3, color=color, marker=marker)


def _guides(axes: plt.Axes, figure: Scaling, panel: pd.DataFrame, limits: Limits) -> None:
    """Dotted lines with the slopes that theory has, through the panel's middle, named at their upper end."""
    x = np.array(sorted(panel[figure.x].unique()), dtype=float)
    if figure.x not in GROWING or len(x) < LEAST:
        return
    low, high = limits.ends()
    names: list[tuple[float, float, str]] = []
    for exponent in GUIDES.get(COLUMNS[figure.y].format, ()):
        y = math.sqrt(low * high) * (x / math.sqrt(x[0] * x[-1])) ** exponent
        axes.plot(x, y, ls=":", lw=1.0, color="#888888", zorder=0.5, scalex=False, scaley=False)
        inside = [k for k in range(len(x)) if low < y[k] < high]
        k = inside[-1 if exponent > 0 else 0]
        names.append((limits.share(y[k]), x[k], POWERS[exponent]))
    names.sort()
    for place, (_, at, name) in zip(spread([share for share, *_ in names], LEAST_GAP), names, strict=True):
        axes.annotate(
            name, (at, limits.at(place)), (0, 3), textcoords="offset points", fontsize=7, color="#666666", ha="center"
        )
