"""The gradient of the exact solution, where a problem has one."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.grid import Grid
from harness.initial import initial_values
from harness.problem import AbstractProblem


def closed_form(problem: AbstractProblem, case: Case, path: SharedPath | None) -> GradientArrays | None:
    """The formula of the solution, differentiated automatically in float64; None where there is no formula."""
    y0, theta = initial_values(problem, case.batch, case.seed)
    times = Grid.of_case(problem, case).observed_times()
    W: list[Any] = [None] * len(times)
    if path is not None:
        W = list(np.cumsum(path.between(np.array([problem.t0, *times]))[0], axis=0))
    if problem.solution(np, times[-1], W[-1], y0, theta) is None:
        return None

    def loss(y0: Any, theta: Any) -> tuple[Any, Any]:
        states = jnp.stack([problem.solution(jnp, t, w, y0, theta) for t, w in zip(times, W, strict=True)])
        return problem.loss(jnp, states), abs(states).max()

    gradient = jax.value_and_grad(loss, (0, 1), has_aux=True)
    (value, largest), (y0_bar, theta_bar) = gradient(jnp.asarray(y0), jax.tree.map(jnp.asarray, theta))
    return GradientArrays.of(value, theta_bar, y0_bar, largest=float(largest))
