"""The raw samples of the times: a row a method, a point a sample."""

from __future__ import annotations

import math
from itertools import zip_longest

import numpy as np
import pandas as pd

from harness.figure.samples import Samples
from harness.grouping import KEYS, MACHINE
from harness.measuring.waiting import DISTURBED
from harness.report.direct_labels import Limits
from harness.report.palette import Palette
from harness.report.panel_grid import PanelGrid
from harness.report.panels import method_of
from harness.report.ticks import write_ticks

MOST = 1_500
"""Samples that are drawn: as vectors they take 0.2 MB of a page."""
NEAR = 0.05
"""The band around the median."""
SPREAD = 0.32
"""How far from the middle of a row its points lie, of the row's height."""


def data(figure: Samples, records: pd.DataFrame) -> pd.DataFrame:
    """A row a sample: its `round`, its `seconds`, these over the median of its case (`relative`), and whether it waited
    for a core (`disturbed`; runs of earlier versions don't say).

    `row` is the method, with the machine where there are several. Of more than `MOST` samples there are about as many,
    evenly over the records, and of each row the least and the greatest.
    """
    del figure
    several = records[MACHINE].nunique() > 1
    found: list[tuple[int, str, int, float, float, bool]] = []
    columns = [records[name] for name in ("method", MACHINE, "seconds_median", "seconds", "waits")]
    for place, (method, machine, median, taken, waits) in enumerate(zip(*columns, strict=True)):
        row = f"{method} {machine}" if several else method
        for k, (seconds, wait) in enumerate(zip_longest(taken, waits), start=1):
            found.append((place, row, k, seconds, seconds / median, wait is not None and wait > DISTURBED))
    samples = pd.DataFrame(found, columns=["place", "row", "round", "seconds", "relative", "disturbed"])
    samples = _thinned(samples)
    cases = records[["case", *KEYS]].iloc[samples["place"]].reset_index(drop=True)
    return pd.concat([cases, samples.drop(columns="place").reset_index(drop=True)], axis=1)


def _thinned(samples: pd.DataFrame) -> pd.DataFrame:
    """Some at equal distances, and the ends of each row, in their order."""
    if len(samples) <= MOST:
        return samples
    by_row = samples.groupby("row")["relative"]
    kept = {*by_row.idxmin(), *by_row.idxmax(), *samples.index[:: math.ceil(len(samples) / MOST)]}
    return samples.loc[sorted(kept)]


def plot(figure: Samples, data: pd.DataFrame, palette: Palette) -> PanelGrid:
    """The relative samples on a logarithmic axis; methods of a backend stand together."""
    del figure
    order = sorted(data["row"].unique())
    height = 1.2 + 0.34 * len(order)
    grid = PanelGrid.of([None], height=height, aspect=9.0 / height, despine=True)
    axes = grid.first
    axes.axvspan(1 - NEAR, 1 + NEAR, color="#bbbbbb", alpha=0.3, lw=0)
    axes.axvline(1.0, color="black", lw=0.8, ls=":")
    for k, name in enumerate(order):
        of = data[data["row"] == name]
        places, cases = pd.factorize(of["case"])
        heights = k + (np.linspace(-SPREAD, SPREAD, len(cases)) if len(cases) > 1 else np.zeros(1))[places]
        color, marker = palette.color(method_of(name)), palette.marker(name)
        for waited, size, fill in ((False, 3.0, color), (True, 6.0, "white")):
            chosen = (of["disturbed"] == waited).to_numpy()
            axes.plot(
                of["relative"][chosen], heights[chosen], ls="", marker=marker, ms=size, color=color, mfc=fill,
                alpha=1.0 if waited else 0.6, zorder=3 if waited else 2,
            )  # fmt: skip
        if k and _backend(name) != _backend(order[k - 1]):
            axes.axhline(k - 0.5, color="#999999", lw=0.6)
    axes.set_xscale("log")
    limits = Limits.of(pd.concat([data["relative"], pd.Series([1 - 2 * NEAR, 1 + 2 * NEAR])])).ends()
    axes.set_xlim(limits)
    write_ticks(axes.xaxis, "ratio", *limits)
    axes.set_yticks(range(len(order)), order, fontsize=8)
    axes.set_ylim(len(order) - 0.5, -0.5)
    grid.label("time of a sample over the median of its case", "")
    return grid


def _backend(name: str) -> str:
    return name.partition("/")[0]
