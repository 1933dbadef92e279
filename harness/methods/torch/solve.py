"""The forward solve alone, PyTorch: what a model's loss costs without its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.lazy import lazily
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from harness.methods.torch import _solve
else:
    torch, _solve = lazily("torch", "harness.methods.torch._solve")


class Solve(AbstractGradientMethod):
    """The solve and its loss, without a graph. The time of a gradient over its time is the price of the gradient.

    Its gradient is zero and means nothing.
    """

    name = "torch/solve"
    framework = "torch"
    summary = "the forward solve and its loss, without a gradient (a yardstick, not a method)"
    samplers = NATIVE_SAMPLERS
    baseline = True
    step_seconds = 6e-5

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Eager: there is nothing to compile. On a CUDA device the solve is captured, as a gradient is."""
        solve = _solve.TorchSolve.of(problem, scheme, case, path)

        def run() -> Gradient:
            ys: list[Tensor] = []
            with torch.no_grad():
                solve.observe(solve.init(solve.y0), 0, solve.steps, ys)
                loss = solve.problem.loss(torch, torch.stack(ys))
                return solve.gradient(loss, torch.zeros_like(solve.y0), solve.zeros_theta())

        return solve.ready(run)
