"""Boxes of samples."""

from __future__ import annotations

from typing import Annotated, Literal

from harness.columns import samples_of, with_role
from harness.figure.abstract import AbstractLines
from harness.grammar import choice

Y = tuple(name for name in with_role("y") if samples_of(name))


class Box(AbstractLines):
    """At each `x`, a box of the samples of which `y` is the median, a colour a method."""

    figure: Literal["box"]
    y: Annotated[str, choice(Y)] = "seconds_median"

    @property
    def caption(self) -> str:
        """What the figure shows, in words."""
        samples = "rounds" if self.y == "seconds_median" else "Brownian paths"
        whiskers = f" A box spans the quartiles over the {samples}, its whiskers 1.5 times their distance."
        return self._caption(self._subject, "boxes") + whiskers
