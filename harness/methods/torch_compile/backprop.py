"""Backpropagation through the solver, in compiled chunks, PyTorch."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import Gradient
from harness.methods.torch_compile._support import AbstractCompiled
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class Backprop(AbstractCompiled):
    """As `torch/backprop`, a chunk of steps being one compiled function, and another its vector–Jacobian product.

    The exact gradient of the discrete solve, memory O(steps): what AOTAutograd chooses to keep of each chunk.
    `docs/methods/torch-compile.md` has what is compiled, and how.
    """

    name = "torch-compile/backprop"
    summary = "backpropagation through the solver, its steps compiled in chunks by torch.compile"
    step_seconds = 1.5e-4

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Run once, which compiles."""
        import torch

        from harness.methods.torch_compile._chunks import ChunkedSolve, compiled

        solve = ChunkedSolve(problem, scheme, case, path)

        def run() -> Gradient:
            ys = []
            solve.observe(solve.init(solve.y0), 0, solve.steps, ys)
            loss = solve.loss(ys)
            y0, *theta = torch.autograd.grad(loss, [solve.y0, *solve.parameters], materialize_grads=True)
            return solve.gradient(loss.detach(), y0, theta)

        return compiled(solve, run)
