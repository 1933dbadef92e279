"""A box of the replicates at each x."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.patches import Patch

from harness.columns import COLUMNS, error_of, samples_of
from harness.figure.box import Box
from harness.report.direct_labels import Limits
from harness.report.line_panels import COLUMN, arranged
from harness.report.palette import Palette
from harness.report.panel_grid import PanelGrid
from harness.report.panels import drawn, line_names, method_of
from harness.report.ticks import axis_label, write_ticks


def data(figure: Box, records: pd.DataFrame) -> pd.DataFrame:
    """A row a sample, with the name of its line."""
    found = drawn(figure, records, figure.x)
    column = str(samples_of(figure.y))
    return found.assign(line=line_names(figure, found)).explode(column).astype({column: float})


def plot(figure: Box, data: pd.DataFrame, palette: Palette) -> PanelGrid:
    """At each x, for each method and setting, a box of the replicates, where unresolved an outline; y logarithmic.

    Each backend has panels of its own, as a method has the colour of its approach.
    """
    column, error = str(samples_of(figure.y)), error_of(figure.y)
    several = figure.named_by == "method" and len({method_of(name).partition("/")[0] for name in data["line"]}) > 1
    placed, shown, in_a_row = arranged(figure, data, backends_apart=several)
    labels = pd.Series([shown[key].label(line) for key, line in zip(placed[COLUMN], placed["line"], strict=True)])
    placed = placed.assign(label=labels.to_numpy())
    names = {label: f"/{label}" if several else label for label in sorted(labels.unique())}
    shades = palette.shades(list(names.values()))
    colors = {label: shades[name] for label, name in names.items()}
    grid = PanelGrid.of(list(shown), in_a_row=in_a_row, height=3.2, aspect=1.3, share_y=False, despine=True)
    for key, axes in grid.panels.items():
        panel = placed[placed[COLUMN] == key]
        hollow = ~panel[f"{error}_resolved"] if error else pd.Series(False, index=panel.index)
        _draw(axes, figure, panel[~hollow], panel, colors, fill=True)
        _draw(axes, figure, panel[hollow], panel, colors, fill=False)
        beside = placed[placed[figure.facet].isin(panel[figure.facet])] if figure.facet else placed
        limits = Limits.of(beside[column]).ends()
        axes.set_yscale("log")
        axes.set_ylim(limits)
        write_ticks(axes.yaxis, COLUMNS[figure.y].format, *limits)
        axes.set_title(shown[key].title)
    grid.label(COLUMNS[figure.x].axis_label, axis_label(figure.y))
    handles = [Patch(facecolor=color, edgecolor="black", label=label) for label, color in colors.items()]
    grid.figure.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
    return grid


def _draw(
    axes: plt.Axes,
    figure: Box,
    boxes: pd.DataFrame,
    panel: pd.DataFrame,
    colors: dict[str, tuple[float, float, float]],
    *,
    fill: bool,
) -> None:
    """The boxes, each beside the others of the panel at its x."""
    if boxes.empty:
        return
    places = list(dict.fromkeys(panel[figure.x]))
    if pd.api.types.is_numeric_dtype(panel[figure.x]):
        places.sort()
    sns.boxplot(
        boxes,
        x=figure.x,
        y=samples_of(figure.y),
        order=places,
        hue="label",
        hue_order=[label for label in colors if (panel["label"] == label).any()],
        palette=colors,
        fill=fill,
        linewidth=0.8,
        fliersize=2,
        legend=False,
        ax=axes,
    )
