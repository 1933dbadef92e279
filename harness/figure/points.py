"""A row a method."""

from __future__ import annotations

from typing import Literal

from harness.columns import COLUMNS
from harness.figure.abstract import AbstractPanels


class Points(AbstractPanels):
    """A row a method, a point at its `y`. `x` is the method and may be left out."""

    figure: Literal["points"]
    x: Literal["method"] = "method"

    @property
    def named_by(self) -> str:
        """A row is named by its method."""
        return self.x

    @property
    def caption(self) -> str:
        """What the figure shows, in words."""
        return self._caption(f"{COLUMNS[self.y].axis_label} by method", "points")
