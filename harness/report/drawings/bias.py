"""The adjoint errors of biased methods, and the scheme's own error."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd

from harness.columns import COLUMNS
from harness.figure.bias import Bias
from harness.grouping import KEYS, MACHINE, gradients, telling, words
from harness.report.answer.contest import rounding_of
from harness.report.answer.growth import slope
from harness.report.direct_labels import Label, Limits, Room, power, write_labels
from harness.report.palette import Palette
from harness.report.panel_grid import PanelGrid
from harness.report.tables import dicts
from harness.report.ticks import scale_x, scale_y

ADJOINT, GRADIENT = "adjoint_error_theta_median", "gradient_error_theta_median"
SCHEMES_OWN = "the scheme's own error"
DATA_WIDTH = 2.8
"""Of a panel without its labels, in inches."""
ENDS = ("gradient_error_theta_low", "gradient_error_theta_high")


def data(figure: Bias, records: pd.DataFrame) -> pd.DataFrame:
    """A row a record: `line` is the name of a biased method, and empty for an exact one."""
    found = gradients(records).dropna(subset=[ADJOINT])
    worst = found.groupby(["method", "dtype"])[ADJOINT].transform("max")
    biased = worst > rounding_of(found)
    found = found[[*KEYS, ADJOINT, GRADIENT, *ENDS]]
    axes = telling(found.assign(steps=None), ["method"], but=[str(figure.facet)])
    names = [" ".join([row["method"], *words(row, axes)]) for row in dicts(found)]
    named = pd.Series(names, index=found.index, dtype=object).where(biased, "")
    several = found.groupby(figure.facet)["steps"].transform("nunique") > 1
    return found[several].assign(line=named[several]) if (biased & several).any() else found.head(0).assign(line="")


def plot(figure: Bias, data: pd.DataFrame, palette: Palette) -> PanelGrid:
    """Both axes logarithmic, a panel for each value of the facet that has a biased method."""
    facets = sorted(data.loc[data["line"] != "", figure.facet].unique())
    shown = data[data[figure.facet].isin(facets)]
    names = [f"{name} (−0.00)" for name in {SCHEMES_OWN, *shown["line"]}]
    room = Room.of(names, DATA_WIDTH)
    grid = PanelGrid.of(facets, in_a_row=min(3, len(facets)), height=3.6, aspect=room.panel / 3.6)
    x, y = Limits.of(shown["steps"]), Limits.of(pd.concat([shown.loc[shown["line"] != "", ADJOINT], shown[GRADIENT]]))
    scale_x(grid.first, "steps", shown["steps"], x, room.share)
    scale_y(grid.first, ADJOINT, y.ends())
    for value, axes in grid.panels.items():
        panel = shown[shown[figure.facet] == value]
        labels = [*_lines(axes, panel, palette), *_band(axes, panel)]
        axes.set_title(f"{COLUMNS[figure.facet].label} {value}")
        write_labels(axes, labels, x, y)
    grid.label(COLUMNS["steps"].axis_label, "error (relative)")
    return grid


def _lines(axes: plt.Axes, panel: pd.DataFrame, palette: Palette) -> list[Label]:
    labels = []
    biased = panel[panel["line"] != ""]
    colors = palette.shades(sorted(biased["line"].unique()))
    for name, group in biased.groupby("line", sort=True):
        line = group.groupby("steps")[ADJOINT].median().reset_index()
        dash, marker, color = palette.dashes(str(name)), palette.marker(str(name)), colors[str(name)]
        axes.plot(line["steps"], line[ADJOINT], color=color, marker=marker, ms=4.5, ls=(0, dash) if dash else "-")
        labels.append(
            Label(
                f"{name}{power(slope(line, 'steps', ADJOINT))}", line["steps"].iloc[-1], line[ADJOINT].iloc[-1], color
            )
        )
    return labels


def _band(axes: plt.Axes, panel: pd.DataFrame) -> list[Label]:
    """The gradient error of the exact methods, which is the scheme's."""
    exact = panel[(panel["line"] == "") & panel[GRADIENT].notna()]
    if exact.empty:
        return []
    labels = []
    for machine, part in exact.groupby(MACHINE):
        band = part.groupby("steps")[[GRADIENT, *ENDS]].median().reset_index()
        axes.fill_between(band["steps"], band[ENDS[0]] / 1.15, band[ENDS[1]] * 1.15, color="#999999", alpha=0.35, lw=0)
        axes.plot(band["steps"], band[GRADIENT], color="#555555", lw=1.2, ls=":")
        name = " ".join([SCHEMES_OWN, *([str(machine)] if exact[MACHINE].nunique() > 1 else [])])
        labels.append(Label(name, band["steps"].iloc[-1], band[GRADIENT].iloc[-1], (0.33, 0.33, 0.33)))
    return labels
