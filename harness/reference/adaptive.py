"""The gradient of an ODE by a solver of order 8 with adaptive steps."""

from __future__ import annotations

import functools
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.initial import initial_values
from harness.problem import AbstractProblem

MOST_STEPS = 2**17


def adaptive(problem: AbstractProblem, case: Case, tolerance: float) -> GradientArrays:
    """Backpropagation through Dormand & Prince's 8(7) pair at this relative and absolute tolerance, in float64.

    Raises RuntimeError where it takes more than `MOST_STEPS` steps.
    """
    y0, theta = initial_values(problem, case.batch, case.seed)
    value, (y0_bar, theta_bar), steps = _gradient(
        problem, case.observations, jnp.asarray(y0), jax.tree.map(jnp.asarray, theta), tolerance
    )
    if int(steps) >= MOST_STEPS:
        raise RuntimeError(f"the reference took more than {MOST_STEPS} steps at tolerance {tolerance:g}")
    return GradientArrays.of(value, theta_bar, y0_bar)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _gradient(problem: AbstractProblem, observations: int, y0: Any, theta: Any, tolerance: Any) -> Any:
    times = problem.t0 + (problem.t1 - problem.t0) * np.arange(1, observations + 1) / observations

    def loss(y0: Any, theta: Any) -> Any:
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, y, theta: problem.drift(jnp, t, y, theta)),
            diffrax.Dopri8(),
            t0=problem.t0,
            t1=problem.t1,
            dt0=None,
            y0=y0,
            args=theta,
            saveat=diffrax.SaveAt(ts=jnp.asarray(times)),
            # Steps end at the observations: what lies between is interpolated at a lower order.
            stepsize_controller=diffrax.ClipStepSizeController(
                diffrax.PIDController(rtol=tolerance, atol=tolerance), step_ts=jnp.asarray(times)
            ),
            max_steps=MOST_STEPS,
            throw=False,
        )
        return problem.loss(jnp, solution.ys), solution.stats["num_steps"]

    (value, steps), gradients = jax.value_and_grad(loss, (0, 1), has_aux=True)(y0, theta)
    return value, gradients, steps
