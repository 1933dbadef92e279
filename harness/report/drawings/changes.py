"""How a quantity changed between two runs: a row a method, a point a case."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.frames import geometric_mean
from harness.report.palette import Palette
from harness.report.panel_grid import PanelGrid
from harness.report.ticks import write_ticks

REACH = 10.0
"""Ratios beyond this, or below its inverse, stand at the edge."""


def plot(changes: pd.DataFrame, palette: Palette, *, label: str, threshold: float) -> PanelGrid:
    """The ratios after over before with their intervals, a band for what doesn't count, a bar at the geometric mean.

    `changes` are those of one quantity. Changes that aren't real are pale.
    """
    order = sorted(changes["method"].unique())
    height = 1.2 + 0.3 * len(order)
    grid = PanelGrid.of([None], height=height, aspect=9.0 / height, despine=True)
    axes = grid.first
    axes.axvspan(1 / (1 + threshold), 1 + threshold, color="#bbbbbb", alpha=0.35, lw=0)
    for row, method in enumerate(order):
        of = changes[changes["method"] == method].sort_values("ratio")
        ratios, low, high = (of[name].clip(1 / REACH, REACH) for name in ("ratio", "low", "high"))
        offsets = row + 0.3 * np.linspace(-1, 1, len(of)) if len(of) > 1 else np.array([float(row)])
        real = of["verdict"].isin(["worse", "better"]).to_numpy()
        for chosen, alpha in ((real, 1.0), (~real, 0.35)):
            if chosen.any():
                spread = [(ratios - low)[chosen].fillna(0), (high - ratios)[chosen].fillna(0)]
                color = palette.color(method)
                axes.errorbar(
                    ratios[chosen], offsets[chosen], xerr=spread, fmt="o", ms=3.5, color=color, alpha=alpha, lw=0.8
                )
        axes.plot([geometric_mean(ratios)] * 2, [row - 0.38, row + 0.38], color="black", lw=1.5)
    axes.axvline(1.0, color="black", lw=0.8, ls=":")
    axes.set_xscale("log")
    write_ticks(axes.xaxis, "ratio", *axes.get_xlim())
    axes.set_yticks(range(len(order)), order)
    axes.invert_yaxis()
    grid.label(f"{label}, after over before", "")
    return grid
