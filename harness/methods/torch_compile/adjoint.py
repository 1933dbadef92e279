"""The stochastic adjoint, in compiled chunks, PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.methods.torch_compile._support import AbstractCompiled

if TYPE_CHECKING:
    from harness.methods.torch._differentiable import AbstractDifferentiableSolve
    from harness.methods.torch_compile._chunks import ChunkedSolve


class Adjoint(AbstractCompiled):
    """As `torch/adjoint`, chunks of steps being compiled, forwards and backwards.

    The adjoint equation is that of Li et al. 2020 (theorem 2.1 and algorithm 1), solved backwards beside the state.
    Memory O(1) in the steps; biased. `docs/methods/torch-compile.md` has what is compiled, and how.
    """

    name = "torch-compile/adjoint"
    summary = "continuous (stochastic) adjoint, both solves compiled in chunks by torch.compile"
    exact = False
    step_seconds = 2e-4

    def differentiable(self, solve: ChunkedSolve) -> AbstractDifferentiableSolve:
        """The adjoint equation backwards, the state beside it."""
        import torch

        from harness.methods.torch._differentiable import Sweep
        from harness.methods.torch_compile._adjoint import compiled_adjoint

        step_back = compiled_adjoint(solve.setting)

        def forward():
            ys = []
            solve.observe(solve.init(solve.y0), 0, solve.steps, ys)
            return ys, ys

        @torch.no_grad()
        def backward(ys, cotangents):
            theta = solve.zeros_theta()
            a = torch.zeros_like(solve.y0)
            for k in reversed(range(len(ys))):
                y, a = ys[k], a + cotangents[k]
                for steps in solve.backward_chunks(k * solve.stride):
                    ends = solve.times(range(steps.start + 1, steps.stop + 1))
                    y, a, theta = step_back(y, a, solve.fixed, theta, solve.backward_noise(steps), ends)
            return a, theta

        return Sweep(solve, forward, backward)
