"""A reference: a gradient with bars for its own error."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from harness.gradient_arrays import GradientArrays, relative_error

ROUNDING = 1e-14
"""The smallest bar: what float64 may lose in evaluating and differentiating a solution, relative."""
RESOLVED = 0.1
"""A bar is good enough at this fraction of the smallest error that it must resolve."""


@dataclass(frozen=True)
class Reference:
    """A gradient and its error bars: relative L2 for θ and for y0, relative for the loss."""

    gradient: GradientArrays
    theta: float
    y0: float
    loss: float

    def resolves(self, found: Iterable[GradientArrays]) -> bool:
        """Whether the bars of θ and y0 are at most a tenth of the smallest error that a finite gradient has there.

        An error that vanishes altogether needs no bar.
        """
        finite = [gradient for gradient in found if gradient.finite()]
        thetas = [relative_error(gradient.theta, self.gradient.theta) for gradient in finite]
        y0s = [relative_error(gradient.y0, self.gradient.y0) for gradient in finite]
        return all(
            bar <= RESOLVED * min((error for error in errors if error > 0), default=math.inf)
            for bar, errors in ((self.theta, thetas), (self.y0, y0s))
        )
