"""Gradients as the parent compares them: in numpy, whatever framework they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import SupportsFloat

import numpy as np
from numpy.typing import ArrayLike

PARTS = ("theta", "y0", "loss")
"""What errors are taken of, each by itself."""


@dataclass(frozen=True)
class GradientArrays:
    """A gradient in numpy, float64: θ's entries in the order of their sorted names, y0's flattened.

    `largest` is the largest absolute entry of the observed states, of a solve of which it is known. `times` are the
    ends of the steps that an adaptive solve accepted, (steps + 1,), where the method reports them.
    """

    loss: float
    theta: np.ndarray
    y0: np.ndarray
    evaluations: float | None = None
    variance: float | None = None
    largest: float | None = None
    times: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        loss: SupportsFloat,
        theta: Mapping[str, ArrayLike],
        y0: ArrayLike,
        evaluations: SupportsFloat | None = None,
        variance: SupportsFloat | None = None,
        largest: float | None = None,
        times: ArrayLike | None = None,
    ) -> GradientArrays:
        """From arrays that numpy can read."""
        parts = [np.asarray(theta[name], dtype=np.float64).ravel() for name in sorted(theta)]
        return cls(
            float(loss),
            np.concatenate(parts or [np.zeros(0)]),
            np.asarray(y0, dtype=np.float64).ravel(),
            None if evaluations is None else float(evaluations),
            None if variance is None else float(variance),
            largest,
            None if times is None else np.asarray(times, dtype=np.float64),
        )

    def finite(self) -> bool:
        """Whether every entry is."""
        return bool(np.isfinite(self.loss) and np.isfinite(self.theta).all() and np.isfinite(self.y0).all())


def relative_errors(value: GradientArrays, reference: GradientArrays) -> dict[str, float]:
    """Of each of the `PARTS`."""
    return {part: relative_error(getattr(value, part), getattr(reference, part)) for part in PARTS}


def relative_error(value: np.ndarray | float, reference: np.ndarray | float) -> float:
    """|value − reference| / |reference| in L2; 0 where both vanish, infinite where only the reference does."""
    distance, norm = float(np.linalg.norm(np.subtract(value, reference))), float(np.linalg.norm(reference))
    if norm == 0:
        return 0.0 if distance == 0 else float("inf")
    return distance / norm
