"""The gradient of the exact solution, where a problem has one."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from harness.arrays import Scalar, Theta
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
    W = np.zeros((len(times), case.batch, problem.noise_dim))
    if path is not None:
        W = np.cumsum(path.between(np.array([problem.t0, *times]))[0], axis=0)
    if problem.solution(np, times[-1], W[-1], y0, theta) is None:
        return None

    def state(
        t: Scalar, w: Float[Array, "batch noise_dim"], y0: Float[Array, "batch dim"], theta: Theta[Array]
    ) -> Float[Array, "batch dim"]:
        found = problem.solution(jnp, t, w, y0, theta)
        assert found is not None
        return found

    def loss(y0: Float[Array, "batch dim"], theta: Theta[Array]) -> tuple[Float[Array, ""], Float[Array, ""]]:
        states = jnp.stack([state(t, jnp.asarray(w), y0, theta) for t, w in zip(times, W, strict=True)])
        return problem.loss(jnp, states), abs(states).max()

    gradient = jax.value_and_grad(loss, (0, 1), has_aux=True)
    (value, largest), (y0_bar, theta_bar) = gradient(jnp.asarray(y0), jax.tree.map(jnp.asarray, theta))
    return GradientArrays.of(value, theta_bar, y0_bar, largest=float(largest))
