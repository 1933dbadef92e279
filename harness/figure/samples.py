"""The raw samples of the times."""

from __future__ import annotations

from typing import Literal

from harness.columns import COLUMNS
from harness.figure.abstract import AbstractFigure
from harness.measuring.waiting import DISTURBED


class Samples(AbstractFigure):
    """Every sample of every time, relative to the median of its case: a row a method."""

    figure: Literal["samples"]

    @property
    def caption(self) -> str:
        """What the figure shows, in words."""
        where = "".join(f", {COLUMNS[axis].label} {value}" for axis, value in self.where.items())
        return (
            f"Every sample of the times{where}, divided by the median of its case: a point a sample, a row a method;"
            " the samples of one case lie at one height. The grey band is within 5% of the median. A hollow point"
            f" waited for a core for more than {DISTURBED:.0%} of its time, as other programs ran; it counts like the"
            " others."
        )
