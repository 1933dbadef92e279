"""Backpropagation through the solver, PyTorch."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class Backprop(AbstractGradientMethod):
    """Discretise, then optimise: the exact gradient of the discrete solve. Memory O(steps), one graph, one sweep."""

    name = "torch/backprop"
    framework = "torch"
    summary = "backpropagation through the solver, all intermediate values kept"
    samplers = NATIVE_SAMPLERS
    steppings = ("fixed", "adaptive")
    step_seconds = 4e-4

    def unsupported(self, case: Case) -> str | None:
        """Every scheme."""
        return None

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Eager: there is nothing to compile."""
        import torch

        from harness.methods.torch import _adaptive
        from harness.methods.torch._solve import TorchSolve

        solve = TorchSolve(problem, scheme, case, path)
        if case.stepping == "adaptive":
            return _adaptive.backprop(solve, case, path)

        def run() -> Gradient:
            state = solve.init(solve.y0)
            ys = []
            for n in range(0, solve.steps, solve.stride):
                state = solve.advance(state, n, n + solve.stride)
                ys.append(state[0])
            loss = solve.loss(ys)
            y0, *theta = torch.autograd.grad(loss, [solve.y0, *solve.parameters], materialize_grads=True)
            return solve.gradient(loss.detach(), y0, theta)

        return solve.ready(run)
