"""Lines of y over x."""

from __future__ import annotations

from typing import Literal

from harness.figures.abstract import AbstractLines


class Scaling(AbstractLines):
    """`y` over `x`, both logarithmic, a line a method."""

    figure: Literal["scaling"]

    @property
    def caption(self) -> str:
        """What the figure shows, in words."""
        return self._caption(self._subject, "points")
