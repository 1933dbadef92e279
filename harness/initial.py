"""The initial value and parameters that a case's seed gives, the same for every method."""

from __future__ import annotations

import numpy as np

from harness.problem import AbstractProblem
from harness.random import Normals


def initial_values(problem: AbstractProblem, batch: int, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """y0, (batch, dim), and θ by name, float64."""
    return problem.initial(Normals(seed, 1), batch), problem.parameters(Normals(seed, 2))
