"""What became of the cases: a cell a method and value."""

from __future__ import annotations

import pandas as pd
from matplotlib.patches import Patch, Rectangle

from harness.columns import COLUMNS
from harness.figure.coverage import Coverage
from harness.grouping import MACHINE
from harness.report.palette import Palette
from harness.report.panel_grid import PanelGrid
from harness.report.tables import dicts
from harness.report.ticks import categories

COLORS = {"ok": "#88ccaa", "in part": "#ddcc77", "none": "#cc6677", "unsupported": "#dddddd"}
"""By what became of a cell: all of its cases are ok, some, none; or the method supports none of them."""
MEANINGS = {"ok": "all ok", "in part": "some failed or diverged", "none": "all failed or diverged"}


def data(figure: Coverage, records: pd.DataFrame) -> pd.DataFrame:
    """A row a method and value: how many cases are `ok`, how many are `supported`, and what became of them.

    Where there are several machines, the method's name goes on with that of the machine.
    """
    counted = records.assign(ok=records["status"] == "ok", supported=records["status"] != "unsupported")
    if records[MACHINE].nunique() > 1:
        counted["method"] = [f"{row['method']} {row[MACHINE]}" for row in dicts(records[["method", MACHINE]])]
    found = counted.groupby(["method", figure.x], sort=False)[["ok", "supported"]].sum().reset_index()
    return found.assign(became=[_became(row["ok"], row["supported"]) for row in dicts(found)])


def _became(ok: int, supported: int) -> str:
    if not supported:
        return "unsupported"
    return "ok" if ok == supported else "in part" if ok else "none"


def plot(figure: Coverage, data: pd.DataFrame, palette: Palette) -> PanelGrid:
    """Methods from top to bottom, values from left to right."""
    del palette
    methods, values = sorted(data["method"].unique()), categories(figure.x, data[figure.x])
    height = 1.4 + 0.28 * len(methods)
    grid = PanelGrid.of([None], height=height, aspect=max(0.8, (3.2 + 0.75 * len(values)) / height))
    axes = grid.first
    for row in dicts(data):
        x, y = values.index(row[figure.x]), methods.index(row["method"])
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=COLORS[row["became"]], edgecolor="white", lw=1.5))
        if row["supported"]:
            axes.text(x, y, f"{row['ok']}/{row['supported']}", ha="center", va="center", fontsize=7)
    axes.set_xlim(-0.5, len(values) - 0.5)
    axes.set_ylim(len(methods) - 0.5, -0.5)
    axes.set_xticks(range(len(values)), [str(value) for value in values], rotation=45, ha="right", fontsize=8)
    axes.set_yticks(range(len(methods)), methods, fontsize=8)
    axes.grid(visible=False)
    handles = [Patch(color=color, label=MEANINGS.get(name, name)) for name, color in COLORS.items()]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)
    grid.label(COLUMNS[figure.x].axis_label, "")
    return grid
