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
            f"The samples of the times{where}, divided by the median of their case: one row per method, one point per"
            " sample. Of very many some are drawn, among them the least and the greatest of each row. The samples of"
            " one case lie at one height. The grey band is within 5% of the median. A hollow point waited for a core"
            f" for more than {DISTURBED:.0%} of its time, as other programs ran; it counts like the others."
        )
