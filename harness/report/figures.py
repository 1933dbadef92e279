"""Figures, drawn by seaborn as SVG."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns

from harness.frames import UNRESOLVED
from harness.frames import speedups as speedups_of
from harness.report.drawings.box import box
from harness.report.drawings.points import points
from harness.report.drawings.scaling import scaling
from harness.report.drawings.speedups import speedups
from harness.report.panels import error_of, label
from harness.suite import Figure

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "axes.titlesize": 10,
    "axes.grid": True,
    "grid.alpha": 0.4,
}
DRAWERS: dict[str, Callable[[Figure, pd.DataFrame], sns.FacetGrid]] = {
    "scaling": scaling,
    "points": points,
    "box": box,
    "speedups": speedups,
}


def draw(figure: Figure, frame: pd.DataFrame) -> str | None:
    """The figure as an SVG element, None where the run has nothing to draw in it."""
    data = frame[frame["status"] == "ok"].dropna(subset=[figure.y])
    for axis, value in figure.where.items():
        data = data[data[axis] == value]
    if figure.figure == "speedups" and speedups_of(data).empty:
        return None
    if figure.x not in ("noise", "method"):
        data = data.dropna(subset=[figure.x])
    if "error" in figure.y:
        data = data[data["approach"] != "floor"]
    if data.empty:
        return None
    with mpl.rc_context(STYLE), sns.axes_style("whitegrid"):
        grid = DRAWERS[figure.figure](figure, data)
        svg = _svg(grid.figure)
        plt.close(grid.figure)
    return svg


def caption(figure: Figure) -> str:
    """What the figure shows, in words."""
    if figure.figure == "speedups":
        return (
            "How many times as fast the native method is, with the same scheme: a point a block, the median of the"
            " ratios round by round, with its 95% interval; a bar at the geometric mean."
        )
    words = f"{label(figure.y)} over {label(figure.x)}" if figure.x != "method" else f"{label(figure.y)} by method"
    facet = f", a panel for each {label(figure.facet)}" if figure.facet else ""
    note = ""
    if error_of(figure):
        what = "boxes" if figure.figure == "box" else "points"
        note = f" Hollow {what} lie within {UNRESOLVED:g} times the reference's error bar: not resolved."
    if figure.y == "seconds_median":
        note = " Medians of the paired rounds, with their 95% intervals."
    if figure.figure == "box":
        note += " A box spans the quartiles over the Brownian paths, its whiskers 1.5 times their distance."
    where = "".join(f", {label(axis)} {value}" for axis, value in figure.where.items())
    return f"{words[0].upper()}{words[1:]}{where}{facet}.{note}"


def _svg(figure: plt.Figure) -> str:
    """The SVG element alone, without date, so that the same data gives the same bytes."""
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "gradient-harness"}):
        figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
