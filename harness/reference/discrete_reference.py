"""The discrete reference: the gradient of a case's own discrete solve, its states, and whether it meets a jump."""

from __future__ import annotations

import copy
import functools
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from harness.arrays import A, Namespace, Scalar, Theta
from harness.brownian.jax_noise import NoiseArgument, noise_argument
from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import GradientArrays, relative_error
from harness.grid import Grid
from harness.initial import initial_values
from harness.methods.jax._adaptive import AdaptiveBackpropSweep
from harness.methods.jax._compile import compile_gradient
from harness.methods.jax._segment import by_steps
from harness.methods.jax._solve import JaxSolve
from harness.methods.jax._sweep import loss_gradient
from harness.methods.jax.backprop import Backprop
from harness.problem import AbstractProblem
from harness.reference.reported_steps import on_steps
from harness.scheme import AbstractScheme


def discrete(
    problem: AbstractProblem,
    scheme: AbstractScheme,
    case: Case,
    path: SharedPath | None,
    times: np.ndarray | None = None,
) -> GradientArrays:
    """JAX's derivative of the same scheme and steps, in float64 on the CPU. `path` is None for an ODE.

    The steps are those between `times`, which a method reports, or else the case's: its grid, or the adaptive steps
    that the harness's own controller takes in float64.

    By automatic differentiation of the steps alone, no sweep of ours: what such a sweep gives can be judged by it.
    """
    if times is not None:
        return on_steps(problem, scheme, case, path, times)
    exact = _in_float64(case)
    solve = JaxSolve(problem, scheme, exact)
    function = by_steps if isinstance(solve.stepping, Grid) else loss_gradient(AdaptiveBackpropSweep())
    gradient = compile_gradient(function, solve, path)()
    return GradientArrays.of(gradient.loss, dict(gradient.theta), gradient.y0)


def largest_state(
    problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
) -> float | None:
    """The largest absolute entry of the states that the same solve observes; None where steps are adaptive."""
    solve = JaxSolve(problem, scheme, _in_float64(case))
    if not isinstance(solve.stepping, Grid):
        return None
    noise = noise_argument(solve.case, problem.noise_dim, solve.grid, path, levy_area=scheme.needs_levy_area)
    y0, theta = jax.tree.map(jnp.asarray, initial_values(problem, case.batch, case.seed))
    return float(abs(_observed(solve, y0, theta, noise)).max())


@functools.partial(jax.jit, static_argnums=0)
def _observed(
    solve: JaxSolve, y0: Float[Array, "batch dim"], theta: Theta[Array], noise: NoiseArgument
) -> Float[Array, "observations batch dim"]:
    """The observed states. One program serves all paths of a case."""
    _, ys = solve.forward(y0, theta, noise)
    return ys


SHIFT = 1e-9
"""Of all times, relative to the interval: more than their rounding, less than any step."""
JUMPED = 1e-6
"""Relative change of a gradient by such a shift from which a right-hand side is said to jump."""


def meets_a_jump(problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None) -> bool:
    """Whether the solve's gradient is another one if f and g are evaluated just before or just after the same times."""
    here = discrete(problem, scheme, case, path)
    for sign in (1, -1):
        moved = discrete(_shifted(problem, sign * SHIFT * (problem.t1 - problem.t0)), scheme, case, path)
        if max(relative_error(moved.theta, here.theta), relative_error(moved.y0, here.y0)) > JUMPED:
            return True
    return False


def _shifted(problem: AbstractProblem, shift: float) -> AbstractProblem:
    kind: Any = type(problem)  # a base class that is known only here

    class Shifted(kind):
        """The same problem, a little earlier or later."""

        def drift(self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]) -> Float[A, "batch dim"]:
            """f at t + shift."""
            return super().drift(xp, t + shift, y, theta)

        def diffusion(
            self, xp: Namespace, t: Scalar, y: Float[A, "batch dim"], theta: Theta[A]
        ) -> Float[A, "batch ..."]:
            """g at t + shift."""
            return super().diffusion(xp, t + shift, y, theta)

    moved = copy.copy(problem)
    object.__setattr__(moved, "__class__", Shifted)
    return moved


def _in_float64(case: Case) -> Case:
    return replace(
        case, method=Backprop.name, dtype="float64", matmul="full", device="cpu", brownian="shared", threads=1
    )
