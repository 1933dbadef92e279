"""Time against memory."""

from __future__ import annotations

from typing import Literal

from harness.columns import COLUMNS
from harness.figure.abstract import AbstractFigure, Facet


class Pareto(AbstractFigure):
    """Each case at its time and its peak memory, with the front: the cases that no other beats in both.

    A panel for each value of `facet`. Cases of different sizes have different work: hold the sizes fixed with `where`,
    or give them panels.
    """

    figure: Literal["pareto"]
    facet: Facet | None = None

    @property
    def caption(self) -> str:
        """What the figure shows, in words."""
        where = "".join(f", {COLUMNS[axis].label} {value}" for axis, value in self.where.items())
        facet = f", a panel for each {COLUMNS[self.facet].label}" if self.facet else ""
        return (
            f"Time and peak memory of each method{where}{facet}. The line joins the cases that no other beats in both;"
            " these are named."
        )
