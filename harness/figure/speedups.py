"""Native methods against the libraries."""

from __future__ import annotations

from typing import Literal

from harness.figure.abstract import AbstractFigure


class Speedups(AbstractFigure):
    """The paired ratios of native methods to the libraries'."""

    figure: Literal["speedups"]

    @property
    def caption(self) -> str:
        """What the figure shows, in words."""
        return (
            "How many times as fast the native method is, with the same scheme: a point a block, the median of the"
            " ratios round by round, with its 95% interval; a bar at the geometric mean."
        )
