"""The raw samples of the times: a row a method, a point a sample."""

from __future__ import annotations

from itertools import zip_longest

import numpy as np
import pandas as pd

from harness.figure.samples import Samples
from harness.grouping import KEYS, MACHINE
from harness.measuring.waiting import DISTURBED
from harness.record import Row
from harness.report.direct_labels import Limits
from harness.report.palette import Palette
from harness.report.panel_grid import PanelGrid
from harness.report.panels import method_of
from harness.report.tables import dicts
from harness.report.ticks import write_ticks

NEAR = 0.05
"""The band around the median."""
SPREAD = 0.32
"""How far from the middle of a row its points lie, of the row's height."""


def data(figure: Samples, records: pd.DataFrame) -> pd.DataFrame:
    """A row a sample: its `round`, its `seconds`, these over the median of its case (`relative`), and whether it waited
    for a core (`disturbed`; runs of earlier versions don't say).

    `row` is the method, with the machine where there are several.
    """
    del figure
    several = records[MACHINE].nunique() > 1
    found: list[Row] = []
    for record in dicts(records[["case", *KEYS, "seconds_median", "seconds", "waits"]]):
        shared = {name: record[name] for name in ("case", *KEYS)}
        shared["row"] = f"{record['method']} {record[MACHINE]}" if several else record["method"]
        for k, (seconds, wait) in enumerate(zip_longest(record["seconds"], record["waits"]), start=1):
            relative, disturbed = seconds / record["seconds_median"], wait is not None and wait > DISTURBED
            found.append({**shared, "round": k, "seconds": seconds, "relative": relative, "disturbed": disturbed})
    return pd.DataFrame(found)


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
