"""The stochastic adjoint, in compiled chunks, PyTorch."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import Gradient
from harness.methods.torch_compile._support import AbstractCompiled
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class Adjoint(AbstractCompiled):
    """As `torch/adjoint`, chunks of steps being compiled, forwards and backwards.

    The adjoint equation is that of Li et al. 2020 (theorem 2.1 and algorithm 1), solved backwards beside the state.
    Memory O(1) in the steps; biased. `docs/methods/torch-compile.md` has what is compiled, and how.
    """

    name = "torch-compile/adjoint"
    summary = "continuous (stochastic) adjoint, both solves compiled in chunks by torch.compile"
    exact = False
    step_seconds = 2e-4

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Run once, which compiles."""
        import torch

        from harness.methods.torch_compile._adjoint import compiled_adjoint
        from harness.methods.torch_compile._chunks import ChunkedSolve, compiled

        solve = ChunkedSolve(problem, scheme, case, path)
        backward = compiled_adjoint(solve.setting)

        @torch.no_grad()
        def run() -> Gradient:
            ys = []
            solve.observe(solve.init(solve.y0), 0, solve.steps, ys)
            loss, cotangents = solve.loss_cotangents(ys)
            theta = solve.zeros_theta()
            a = torch.zeros_like(solve.y0)
            for k in reversed(range(len(ys))):
                y, a = ys[k], a + cotangents[k]
                for steps in solve.backward_chunks(k * solve.stride):
                    ends = solve.times(range(steps.start + 1, steps.stop + 1))
                    y, a, theta = backward(y, a, solve.fixed, theta, solve.backward_noise(steps), ends)
            return solve.gradient(loss, a, theta)

        return compiled(solve, run)
