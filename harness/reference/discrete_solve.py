"""The gradient of a case's own discrete solve."""

from __future__ import annotations

from dataclasses import replace

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.methods.jax.backprop import Backprop
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


def discrete(problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None) -> GradientArrays:
    """Backpropagation through the same scheme and steps, in float64 on the CPU. `path` is None for an ODE."""
    exact = replace(case, method=Backprop.name, dtype="float64", device="cpu", brownian="shared", threads=1)
    gradient = Backprop().build(problem, scheme, exact, path)()
    return GradientArrays.of(gradient.loss, dict(gradient.theta), gradient.y0)
