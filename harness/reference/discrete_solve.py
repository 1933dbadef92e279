"""The gradient of a case's own discrete solve."""

from __future__ import annotations

from dataclasses import replace

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import GradientArrays
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
    exact = replace(case, method=Backprop.name, dtype="float64", device="cpu", brownian="shared", threads=1)
    function = by_steps if case.stepping == "fixed" else _adaptive.backprop
    gradient = compile_gradient(function, JaxSolve(problem, scheme, exact), path)()
    return GradientArrays.of(gradient.loss, dict(gradient.theta), gradient.y0)
