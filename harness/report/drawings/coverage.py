"""What became of the cases: a cell a method and value."""

from __future__ import annotations

import pandas as pd
from matplotlib.patches import Patch, Rectangle

from harness.columns import COLUMNS
from harness.figure.coverage import Coverage
from harness.grouping import MACHINE
from harness.record import Row
from harness.report.palette import Palette
from harness.report.panel_grid import PanelGrid
from harness.report.tables import dicts
from harness.report.ticks import categories

LOOKS = {
    "ok": ("#5fa8d3", ""),
    "in part": ("#eedd88", ""),
    "diverged": ("#cc6677", "//"),
    "failed": ("#7a1f4b", ""),
    "unsupported": ("#f2f2f2", ""),
}
"""The colour and hatch by what became of a cell's cases. The colours differ in lightness, for readers with any colour
vision."""
MEANINGS = {
    "ok": "all ok",
    "in part": "some ok",
    "diverged": "none ok: diverged or unstable",
    "failed": "none ok, some failed",
    "unsupported": "unsupported",
}
"""By what became of a cell: `failed` is also what took too long or too much memory."""
LOST = ("diverged", "unstable")
"""The statuses of a solve or gradient that isn't finite, or of a scheme that can't be used at this step."""


def data(figure: Coverage, records: pd.DataFrame) -> pd.DataFrame:
    """A row a method and value: how many cases are `ok`, how many are `supported`, `diverged` and `failed`, and what
    became of them.

    Where there are several machines, the method's name goes on with that of the machine.
    """
    status = records["status"]
    counted = records.assign(
        ok=status == "ok", supported=status != "unsupported", diverged=status.isin(LOST),
        failed=~status.isin(["ok", "unsupported", *LOST]),
    )  # fmt: skip
    if records[MACHINE].nunique() > 1:
        counted["method"] = [f"{row['method']} {row[MACHINE]}" for row in dicts(records[["method", MACHINE]])]
    counts = ["ok", "supported", "diverged", "failed"]
    found = counted.groupby(["method", figure.x], sort=False)[counts].sum().reset_index()
    return found.assign(became=[_became(row) for row in dicts(found)])


def _became(cell: Row) -> str:
    if not cell["supported"]:
        return "unsupported"
    if cell["ok"]:
        return "ok" if cell["ok"] == cell["supported"] else "in part"
    return "failed" if cell["failed"] else "diverged"


def plot(figure: Coverage, data: pd.DataFrame, palette: Palette) -> PanelGrid:
    """Methods from top to bottom, values from left to right."""
    del palette
    methods, values = sorted(data["method"].unique()), categories(figure.x, data[figure.x])
    height = 1.4 + 0.28 * len(methods)
    grid = PanelGrid.of([None], height=height, aspect=max(0.8, (3.2 + 0.75 * len(values)) / height))
    axes = grid.first
    for row in dicts(data):
        x, y = values.index(row[figure.x]), methods.index(row["method"])
        color, hatch = LOOKS[row["became"]]
        cell = Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=color, hatch=hatch, edgecolor="white", lw=1.5)
        axes.add_patch(cell)
        if row["supported"]:
            ink = "white" if row["became"] == "failed" else "black"
            text = axes.text(x, y, f"{row['ok']}/{row['supported']}", ha="center", va="center", fontsize=7, color=ink)
            if hatch:
                text.set_bbox({"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.85})
    axes.set_xlim(-0.5, len(values) - 0.5)
    axes.set_ylim(len(methods) - 0.5, -0.5)
    axes.set_xticks(range(len(values)), [str(value) for value in values], rotation=45, ha="right", fontsize=8)
    axes.set_yticks(range(len(methods)), methods, fontsize=8)
    axes.grid(visible=False)
    handles = [
        Patch(label=MEANINGS[name], facecolor=color, hatch=hatch, edgecolor="white", lw=0)
        for name, (color, hatch) in LOOKS.items()
    ]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)
    grid.label(COLUMNS[figure.x].axis_label, "")
    return grid
