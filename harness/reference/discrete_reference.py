"""The discrete reference: the gradient of a case's own discrete solve, its states, and whether it meets a jump."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from harness.brownian.jax_noise import noise_argument
from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import GradientArrays, relative_error
from harness.initial import initial_values
from harness.methods.jax import _adaptive
from harness.methods.jax._compile import compile_gradient
from harness.methods.jax._segment import by_steps
from harness.methods.jax._solve import JaxSolve
from harness.methods.jax.backprop import Backprop
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


def discrete(problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None) -> GradientArrays:
    """JAX's derivative of the same scheme and steps, in float64 on the CPU. `path` is None for an ODE.

    By automatic differentiation of the steps alone, no sweep of ours: what such a sweep gives can be judged by it.
    """
    exact = _in_float64(case)
    function = by_steps if case.stepping == "fixed" else _adaptive.backprop
    gradient = compile_gradient(function, JaxSolve(problem, scheme, exact), path)()
    return GradientArrays.of(gradient.loss, dict(gradient.theta), gradient.y0)


def largest_state(
    problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
) -> float | None:
    """The largest absolute entry of the states that the same solve observes; None where steps are adaptive."""
    if case.stepping != "fixed":
        return None
    solve = JaxSolve(problem, scheme, _in_float64(case))
    noise = noise_argument(solve.case, problem.noise_dim, solve.grid, path, levy_area=scheme.needs_levy_area)
    y0, theta = jax.tree.map(jnp.asarray, initial_values(problem, case.batch, case.seed))
    _, ys = jax.jit(solve.forward)(y0, theta, noise)
    return float(abs(ys).max())


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
    kind: Any = type(problem)

    class Shifted(kind):
        """The same problem, a little earlier or later."""

        def drift(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
            """f at t + shift."""
            return super().drift(xp, t + shift, y, theta)

        def diffusion(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
            """g at t + shift."""
            return super().diffusion(xp, t + shift, y, theta)

    moved = copy.copy(problem)
    object.__setattr__(moved, "__class__", Shifted)
    return moved


def _in_float64(case: Case) -> Case:
    return replace(case, method=Backprop.name, dtype="float64", device="cpu", brownian="shared", threads=1)
