"""The step-size controller: is a step kept, and how long is the next one?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.arrays import A, Namespace, Scalar

SAFETY, LEAST = 0.9, 0.2
"""Of the factor by which a step's length may change."""
MOST_OF_AN_ODE, MOST_OF_AN_SDE = 10.0, 5.0
"""The largest such factor."""
ODE_GAINS = 1.0, 0.0
"""(integral, proportional): the elementary controller, that of torchdiffeq and diffrax (Hairer, Nørsett & Wanner 1993,
section II.4). A proportional part makes smoother steps, but shorter ones at the same tolerance."""
SDE_GAINS = 0.3, 0.1
"""For SDEs, whose errors are random, a controller that heeds the trend less (Ilie, Jackson & Enright 2015; the gains
are those that diffrax recommends)."""


@dataclass(frozen=True)
class Controller:
    """A PI controller. The norm of an error is the root of the mean square over all entries of
    error / (atol + rtol |y|), |y| the larger at both ends of the step.

    `exponent` is the power of the step's length that the estimate of the error has, `gains` are (integral,
    proportional), `most` is the largest factor by which a step may grow.
    """

    rtol: float
    atol: float
    exponent: float
    gains: tuple[float, float]
    most: float = MOST_OF_AN_ODE

    def norm(self, xp: Namespace, errors: Sequence[A], starts: Sequence[A], ends: Sequence[A]) -> Scalar:
        """Of the errors of several arrays, at most 1 where they are within the tolerance."""
        squares = []
        for error, start, end in zip(errors, starts, ends, strict=True):
            scale = self.atol + self.rtol * xp.maximum(abs(start), abs(end)) if self.rtol else self.atol
            squares.append(((error / scale) ** 2).mean())
        return (sum(squares) / len(squares)) ** 0.5

    def control(
        self, xp: Namespace, length: Scalar, shortest: int, error: Scalar, previous: Scalar
    ) -> tuple[Scalar, Scalar, Scalar]:
        """Whether a step of this length is kept, the proposed length of the next, and the error to remember.

        `previous` is the error remembered of the last step that was kept. The shortest step is kept whatever its error.
        """
        error = xp.where(xp.isfinite(error), xp.maximum(error, 1e-10), 1e10)
        integral, proportional = (gain / self.exponent for gain in self.gains)
        grown = SAFETY * error ** -(integral + proportional) * previous**proportional
        shrunk = SAFETY * error ** (-1 / self.exponent)
        fits = error <= 1
        factor = xp.where(fits, xp.clip(grown, LEAST, self.most), xp.clip(shrunk, LEAST, 1.0))
        kept = fits | (length <= shortest)
        return kept, length * factor, xp.where(kept, xp.clip(error, 1e-4, 1.0), previous)
