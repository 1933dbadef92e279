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
from harness.report.direct_labels import LEAST_GAP, Label, Limits, Room, power, spread, write_labels
from harness.report.line_panels import COLUMN, Panel, arranged
from harness.report.palette import Color, Palette
from harness.report.panel_grid import PanelGrid
from harness.report.panels import drawn, line_names
from harness.report.ticks import SUPERSCRIPTS, axis_label, categories, name_x, scale_x, scale_y

GROWING = {"steps": "N", "dim": "dim", "batch": "batch"}
"""The axes that grow, by the letter or name that they have in a power."""
GUIDES = {"bytes": (1.0, 0.5), "seconds": (1.0,)}
"""The powers of the guides over an axis that grows, by how y is written: what theory says of a whole solve in memory
and of √N checkpoints, and of the time."""
ORDERS = (-0.5, -1.0, -2.0, -3.0, -4.0, -5.0)
"""The powers at which errors fall over the steps: of schemes of strong order ½ and 1, and of those for ODEs."""
NEAR = 0.3
"""An error that falls at a power this near to an order has a guide with it."""
SINGLE, MANY = (4.0, 4.4), (3.3, 2.4)
"""The height of a panel and the width of its data, in inches: of a single panel and of one of many."""
BELOW = 0.1
"""How far below the lines their guide is, of the panel's height."""
MOST_GUIDES = 2
"""In a panel."""
WIDEST = 16.0
"""A figure, in inches: of a wider one the texts would be too small on a page."""


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
    named = None if pd.api.types.is_numeric_dtype(placed[figure.x]) else categories(figure.x, placed[figure.x])
    x = Limits.of(placed[figure.x]) if named is None else Limits.of_places(len(named))
    y = Limits.of(placed[figure.y])
    lines = {key: _lines(figure, placed[placed[COLUMN] == key], named) for key in shown}
    labels = {
        key: [_label(figure, panel, *item, colors[item[0]]) for item in lines[key].items()]
        for key, panel in shown.items()
    }
    height, width = SINGLE if len(shown) == 1 else MANY
    room = Room.of([label.text for found in labels.values() for label in found], width)
    in_a_row = max(1, min(in_a_row, int(WIDEST / room.panel)))
    grid = PanelGrid.of(list(shown), in_a_row=in_a_row, height=height, aspect=room.panel / height)
    scale_y(grid.first, figure.y, y.ends())
    if named is None:
        scale_x(grid.first, figure.x, placed[figure.x], x, room.share)
    for key, panel in shown.items():
        axes = grid.panels[key]
        if named is not None:
            name_x(axes, named, x.ends(room.share))
        for name, line in lines[key].items():
            _draw_line(axes, figure, name, line, palette, colors[name])
        axes.set_title(panel.title)
        if named is None:
            _guides(axes, figure, list(lines[key].values()), y, noisy=_noisy(placed[placed[COLUMN] == key]))
        write_labels(axes, labels[key], x, y)
    grid.label(axis_label(figure.x), axis_label(figure.y))
    return grid


def _lines(figure: Scaling, panel: pd.DataFrame, named: list[str] | None) -> dict[str, pd.DataFrame]:
    return {str(name): _function(figure, group, named) for name, group in panel.groupby("line", sort=True)}


def _label(figure: Scaling, panel: Panel, name: str, line: pd.DataFrame, color: Color) -> Label:
    last = line.iloc[-1]
    return Label(panel.label(name) + power(_power(figure, line)), last[figure.x], last[figure.y], color)


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


def _power(figure: Scaling, line: pd.DataFrame) -> float:
    """The slope over an axis that grows; NaN where there is none."""
    if figure.x not in GROWING or len(line) < LEAST or not (line[figure.y] > 0).all():
        return math.nan
    return slope(line, figure.x, figure.y)


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


def _noisy(panel: pd.DataFrame) -> bool:
    return bool((panel["noise"] != "none").any())


def _guides(axes: plt.Axes, figure: Scaling, lines: list[pd.DataFrame], limits: Limits, *, noisy: bool) -> None:
    """Dotted lines with the slopes that theory has, named at their upper end."""
    x = np.unique(np.concatenate([line[figure.x].to_numpy(dtype=float) for line in lines]))
    if figure.x not in GROWING or len(x) < LEAST:
        return
    low, high = limits.ends()
    names: list[tuple[float, float, str, str]] = []
    for exponent, middle in _theory(figure, lines, limits, noisy=noisy):
        y = middle * (x / math.sqrt(x[0] * x[-1])) ** exponent
        axes.plot(x, y, ls=":", lw=1.0, color="#888888", zorder=0.5, scalex=False, scaley=False)
        inside = [k for k in range(len(x)) if low < y[k] < high]
        if inside:
            k, side = (inside[-1], "right") if exponent > 0 else (inside[0], "left")
            names.append((limits.share(y[k]), x[k], side, proportional(exponent, GROWING[figure.x])))
    names.sort()
    for place, (_, at, side, name) in zip(spread([share for share, *_ in names], LEAST_GAP), names, strict=True):
        text = axes.annotate(name, (at, limits.at(place)), (0, 3), textcoords="offset points", fontsize=8, ha=side)
        text.set(color="#666666", bbox={"fc": "white", "ec": "none", "alpha": 0.7, "pad": 0.4})


def _theory(figure: Scaling, lines: list[pd.DataFrame], limits: Limits, *, noisy: bool) -> list[tuple[float, float]]:
    """The powers of the guides, each with the guide's height in its middle.

    Of errors these are the two orders that most lines are near to, below these lines. Only noise gives an order ½.
    """
    written = COLUMNS[figure.y].format
    if written != "error":
        return [(power, limits.at(0.5)) for power in GUIDES.get(written, ())]
    slopes = [_power(figure, line) for line in lines]
    near = {
        order: [line for line, slope in zip(lines, slopes, strict=True) if abs(slope - order) <= NEAR]
        for order in ORDERS
        if noisy or order <= -1
    }
    most = sorted((order for order in near if near[order]), key=lambda order: -len(near[order]))[:MOST_GUIDES]
    return [(order, limits.at(max(_lowest(figure, near[order], limits) - BELOW, BELOW))) for order in sorted(most)]


def _lowest(figure: Scaling, lines: list[pd.DataFrame], limits: Limits) -> float:
    """The share of the axis at which the lowest of the lines has its middle."""
    return min(limits.share(math.sqrt(line[figure.y].iloc[0] * line[figure.y].iloc[-1])) for line in lines)


def proportional(exponent: float, name: str) -> str:
    """A power in words: ∝ N, ∝ √N, ∝ 1/dim²."""
    size = abs(exponent)
    raised = f"√{name}" if size == 0.5 else name if size == 1 else f"{name}{f'{size:g}'.translate(SUPERSCRIPTS)}"
    return f"∝ 1/{raised}" if exponent < 0 else f"∝ {raised}"
