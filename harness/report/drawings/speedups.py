"""How many times as fast the native methods are: a row a pair and way of computing, a point a block."""

from __future__ import annotations

import pandas as pd

from harness import frames
from harness.figure.speedups import Speedups
from harness.grouping import HOW, differing, words
from harness.report.palette import Palette
from harness.report.panel_grid import PanelGrid
from harness.report.tables import dicts
from harness.report.ticks import write_ticks


def data(figure: Speedups, records: pd.DataFrame) -> pd.DataFrame:
    """A row a paired ratio, with the name of its row."""
    del figure
    pairs = frames.speedups(records)
    return pairs.assign(pair=pair_names(pairs))


def plot(figure: Speedups, data: pd.DataFrame, palette: Palette) -> PanelGrid:
    """The paired ratios with their intervals, on a logarithmic axis; a bar at their geometric mean."""
    del figure
    order = sorted(data["pair"].unique())
    height = 1.2 + 0.3 * max(len(order), 1)
    grid = PanelGrid.of([None], height=height, aspect=9.0 / height, despine=True)
    axes = grid.first
    for row, pair in enumerate(order):
        of = data[data["pair"] == pair].sort_values("ratio")
        offsets = [row + 0.25 * (2 * k / max(len(of) - 1, 1) - 1) for k in range(len(of))]
        spread = [of["ratio"] - of["low"], of["high"] - of["ratio"]]
        axes.errorbar(
            of["ratio"],
            offsets,
            xerr=spread,
            fmt="o",
            ms=4,
            color=palette.color(of["native"].iloc[0]),
            ecolor="#888888",
            lw=0.8,
        )
        axes.plot([frames.geometric_mean(of["ratio"])] * 2, [row - 0.35, row + 0.35], color="black", lw=1.5)
    axes.axvline(1.0, color="black", lw=0.8, ls=":")
    axes.set_xscale("log")
    write_ticks(axes.xaxis, "ratio", *axes.get_xlim())
    axes.set_yticks(range(len(order)), order)
    axes.set_ylim(len(order) - 0.5, -0.5)
    grid.label("times as fast as the library", "")
    return grid


def pair_names(pairs: pd.DataFrame) -> list[str]:
    """The two methods with their scheme and, where the pairs were computed in several ways, how."""
    axes = [axis for axis in differing(pairs) if axis in HOW]
    return [
        ", ".join([f"{pair['native']} against {pair['library']}", pair["scheme"], *words(pair, axes)])
        for pair in dicts(pairs)
    ]
