"""Lines of y over x."""

from __future__ import annotations

from typing import Literal

from harness.columns import COLUMNS
from harness.figure.abstract import AbstractLines


class Scaling(AbstractLines):
    """`y` over `x`, both logarithmic, a line a method."""

    figure: Literal["scaling"]

    @property
    def caption(self) -> str:
        """What the figure shows, in words."""
        power = " The number after a name is the power at which it changes; dotted lines have the powers of theory."
        grows = COLUMNS[self.x].kind == "axis" and COLUMNS[self.x].numeric
        return self._caption(self._subject, "points") + (power if grows else "")
