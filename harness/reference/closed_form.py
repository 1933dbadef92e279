"""The gradient of the exact solution, where a problem has one."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.initial import initial_values
from harness.problem import AbstractProblem


def closed_form(problem: AbstractProblem, case: Case, path: SharedPath | None) -> GradientArrays | None:
    """The formula of the solution, differentiated automatically in float64; None where there is no formula."""
    y0, theta = initial_values(problem, case.batch, case.seed)
    times = problem.t0 + (problem.t1 - problem.t0) * np.arange(1, case.observations + 1) / case.observations
    W: list[Any] = [None] * case.observations
    if path is not None:
        steps = _coarsest_grid(case)
        stride = steps // case.observations
        W = list(np.cumsum(path.increments(steps)[0], axis=0)[stride - 1 :: stride])
    if problem.solution(np, times[-1], W[-1], y0, theta) is None:
        return None

    def loss(y0: Any, theta: Any) -> tuple[Any, Any]:
        states = jnp.stack([problem.solution(jnp, t, w, y0, theta) for t, w in zip(times, W, strict=True)])
        return problem.loss(jnp, states), abs(states).max()

    gradient = jax.value_and_grad(loss, (0, 1), has_aux=True)
    (value, largest), (y0_bar, theta_bar) = gradient(jnp.asarray(y0), jax.tree.map(jnp.asarray, theta))
    return GradientArrays.of(value, theta_bar, y0_bar, largest=float(largest))


def _coarsest_grid(case: Case) -> int:
    """The least number of steps at which the path is the case's and meets every observation: the fewest sums."""
    odd = case.steps // (case.steps & -case.steps)
    return odd * (case.observations & -case.observations)
