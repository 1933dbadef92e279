"""Figures, drawn by seaborn as SVG."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

from harness.figure import Bias, Box, Coverage, Figure, Pareto, Points, Samples, Scaling, Speedups
from harness.report.drawings import bias, box, coverage, pareto, points, samples, scaling, speedups
from harness.report.palette import Palette
from harness.report.panel_grid import PanelGrid

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

STYLE: dict[RcKeyType, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "axes.titlesize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "text.parse_math": False,  # a dollar in a method's name is a dollar
    "axes.titley": 1.0,  # no ticks stand at the top, which matplotlib would look for in every panel
    "axes.grid": True,
    "grid.alpha": 0.4,
}


MOST_MARKS = 2_000
"""A panel of more marks is a picture of pixels within the SVG: an element a mark makes a page large and slow."""
PIXELS_AN_INCH = 200
"""Of such a picture."""


@dataclass(frozen=True)
class Drawing:
    """What a figure shows, a row a mark, and its picture, an SVG element."""

    data: pd.DataFrame
    svg: str

    def _repr_svg_(self) -> str:
        """What a notebook shows."""
        return self.svg


@dataclass(frozen=True)
class Kind:
    """How a kind of figure is drawn: what it shows of the records, and the picture of that.

    `data` gets the records that are `ok`, or all of them where `of_all` says so.
    """

    data: Callable[[Any, pd.DataFrame], pd.DataFrame]
    plot: Callable[[Any, pd.DataFrame, Palette], PanelGrid]
    of_all: bool = False


DRAWINGS = {
    Scaling: Kind(scaling.data, scaling.plot),
    Points: Kind(points.data, points.plot),
    Box: Kind(box.data, box.plot),
    Speedups: Kind(speedups.data, speedups.plot),
    Pareto: Kind(pareto.data, pareto.plot),
    Bias: Kind(bias.data, bias.plot),
    Coverage: Kind(coverage.data, coverage.plot, of_all=True),
    Samples: Kind(samples.data, samples.plot),
}


def data_of(figure: Figure, frame: pd.DataFrame) -> pd.DataFrame:
    """What the figure shows of the records that `where` keeps."""
    kind = DRAWINGS[type(figure)]
    records = frame if kind.of_all else frame[frame["status"] == "ok"]
    for axis, value in figure.where.items():
        records = records[records[axis] == value]
    return kind.data(figure, records)


def draw(figure: Figure, frame: pd.DataFrame) -> Drawing | None:
    """The figure as SVG, None where the run has nothing to show in it."""
    found = plotted(figure, frame)
    if found is None:
        return None
    data, picture = found
    with mpl.rc_context(STYLE):
        return Drawing(data, svg_of(picture))


def plotted(figure: Figure, frame: pd.DataFrame) -> tuple[pd.DataFrame, plt.Figure] | None:
    """What the figure shows, a row a mark, and its picture; None where the run has nothing to show in it."""
    data = data_of(figure, frame)
    if data.empty:
        return None
    with mpl.rc_context(STYLE), sns.axes_style("whitegrid"):
        grid = DRAWINGS[type(figure)].plot(figure, data, Palette.of(frame))
        grid.lay_out()
    picture = grid.figure
    plt.close(picture)  # pyplot forgets it: nobody need close it
    return data, picture


def svg_of(figure: plt.Figure) -> str:
    """The SVG element alone, without date, so that the same data gives the same bytes; its background is the page's."""
    for axes in figure.axes:
        if _marks(axes) > MOST_MARKS:
            _rasterize(axes)
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "gradient-harness"}):
        metadata = {"Date": None, "Creator": None}
        box = figure.get_tightbbox().padded(mpl.rcParams["savefig.pad_inches"])  # as "tight", which draws all first
        figure.savefig(buffer, format="svg", bbox_inches=box, metadata=metadata, transparent=True, dpi=PIXELS_AN_INCH)
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def _marks(axes: plt.Axes) -> int:
    """Points, segments and boxes."""
    points = sum(np.size(line.get_xdata()) for line in axes.lines)
    return (
        points
        + sum(max(len(np.asarray(c.get_offsets())), len(c.get_paths())) for c in axes.collections)
        + len(axes.patches)
    )


def _rasterize(axes: plt.Axes) -> None:
    """Make one picture of the marks, below the axes and texts, which stay vectors."""
    for mark in (*axes.lines, *axes.collections, *axes.patches):
        mark.set_zorder(mark.get_zorder() - 1000)
    axes.set_rasterization_zorder(-100)
