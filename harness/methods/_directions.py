"""Random directions of (θ, y0) for the forward gradient, the same for every framework."""

from __future__ import annotations

import numpy as np

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.initial import initial_values
from harness.problem import AbstractProblem
from harness.random import Normals


def directions(
    problem: AbstractProblem, case: Case, path: SharedPath | None, count: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Independent standard normals in the shapes of y0 and θ, each with a leading axis of `count`, float64.

    They come from the case's seed by a counter-based generator, others for another path, so that the replicates of an
    error are independent draws.
    """
    y0, theta = initial_values(problem, case.batch, case.seed)
    normals = Normals(case.seed, 3, 0 if path is None else path.seed)

    def like(value: np.ndarray) -> np.ndarray:
        return normals(count, *value.shape)

    return like(y0), {name: like(theta[name]) for name in sorted(theta)}
