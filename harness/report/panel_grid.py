"""The grid of panels that every drawing fills."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import seaborn as sns

from harness.report.format import Cell
from harness.report.ticks import thin

NEARLY = {"left": 0.05, "right": 0.99, "bottom": 0.08, "top": 0.95, "wspace": 0.08, "hspace": 0.12}
"""Shares of the figure near those of a finished layout. A label at a line's end reaches out of a narrow panel further
than out of a wide one, so that its room is measured in panels of about their final width."""

LETTER = 0.08
"""The width of a letter of a title, in inches."""


@dataclass(frozen=True, eq=False)
class PanelGrid:
    """A figure and its panels by their facets. All panels share their x axis, and most share their y axis.

    It looks like seaborn's `FacetGrid`, which lays itself out four times and measures every text each time. This one
    is laid out once, by `lay_out`.
    """

    figure: plt.Figure
    panels: dict[Cell, plt.Axes]
    in_a_row: int
    every_x: bool = False
    """Whether each panel has its own ticks and label of x: where panels are so tall that the lowest is out of sight."""

    @classmethod
    def of(
        cls,
        facets: Sequence[Cell],
        *,
        in_a_row: int = 1,
        height: float,
        aspect: float,
        share_y: bool = True,
        every_x: bool = False,
        despine: bool = False,
    ) -> PanelGrid:
        """Empty panels of so many inches. Only the outer ones have tick labels, where the axis is shared; of x all
        have them with `every_x`.

        `aspect` is a panel's width over its height. `despine` leaves out the lines at its top and right.
        """
        rows = -(-len(facets) // in_a_row)
        figure = plt.figure(figsize=(in_a_row * height * aspect, rows * height))
        panels: dict[Cell, plt.Axes] = {}
        first = None
        for place, facet in enumerate(facets, start=1):
            axes = figure.add_subplot(rows, in_a_row, place, sharex=first, sharey=first if share_y else None)
            panels[facet] = axes
            first = first or axes
        grid = cls(figure, panels, in_a_row, every_x)
        for axes in grid._inner_x():
            axes.tick_params(labelbottom=False)
            axes.xaxis.set_in_layout(False)  # it has no text to measure
        for axes in grid._inner_y() if share_y else []:
            axes.tick_params(labelleft=False)
            axes.yaxis.set_in_layout(False)
        if despine:
            sns.despine(figure)
        return grid

    @property
    def first(self) -> plt.Axes:
        """The first panel. Its scale, limits and ticks are those of all panels that share its axes."""
        return next(iter(self.panels.values()))

    def label(self, x: str, y: str) -> None:
        """Name the axes, at the outer panels alone."""
        for axes in self.panels.values():
            axes.set_xlabel(x)
            axes.set_ylabel(y)
        for axes in self._inner_x():
            axes.set_xlabel("")
        for axes in self._inner_y():
            axes.set_ylabel("")

    def lay_out(self) -> None:
        """Move the panels apart so that no text overlaps."""
        letters = int(self.figure.get_figwidth() / self.in_a_row / LETTER)
        for axes in self.panels.values():
            axes.spines[:].set_in_layout(False)  # they stand at the panel's edge, and measuring them takes long
            axes.set_title(textwrap.fill(axes.get_title(), letters, break_long_words=False, break_on_hyphens=False))
        self.figure.subplots_adjust(**NEARLY)
        self.figure.tight_layout()
        outer = list(self.panels.values())
        for axes in outer if self.every_x else outer[-1:]:
            thin(axes.xaxis)

    def _inner_x(self) -> list[plt.Axes]:
        """Panels that leave their ticks to another one below."""
        if self.every_x:
            return []
        return list(self.panels.values())[: max(0, len(self.panels) - self.in_a_row)]

    def _inner_y(self) -> list[plt.Axes]:
        """Panels that have another one to the left."""
        return [axes for place, axes in enumerate(self.panels.values()) if place % self.in_a_row]
