"""The stochastic adjoint, in compiled chunks, PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods.torch_compile._support import AbstractCompiled

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from harness.methods.torch import _differentiable
    from harness.methods.torch_compile import _adjoint
    from harness.methods.torch_compile._chunks import ChunkedSolve
else:
    torch, _differentiable, _adjoint = lazily(
        "torch",
        "harness.methods.torch._differentiable",
        "harness.methods.torch_compile._adjoint",
    )


class Adjoint(AbstractCompiled):
    """As `torch/adjoint`, chunks of steps being compiled, forwards and backwards.

    The adjoint equation is that of Li et al. 2020 (theorem 2.1 and algorithm 1), solved backwards beside the state.
    Memory O(1) in the steps; biased. `docs/methods/torch-compile.md` has what is compiled, and how.
    """

    name = "torch-compile/adjoint"
    summary = "continuous (stochastic) adjoint, both solves compiled in chunks by torch.compile"
    exact = False
    step_seconds = 1.6e-4

    def differentiable(self, solve: ChunkedSolve) -> _differentiable.AbstractDifferentiableSolve:
        """The adjoint equation backwards, the state beside it."""
        step_back = _adjoint.compiled_adjoint(solve.setting)

        def forward() -> tuple[list[Tensor], list[Tensor]]:
            ys: list[Tensor] = []
            solve.observe(solve.init(solve.y0), 0, solve.steps, ys)
            return ys, ys

        @torch.no_grad()
        def backward(ys: list[Tensor], cotangents: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
            theta = solve.zeros_theta()
            a = torch.zeros_like(solve.y0)
            for k in reversed(range(len(ys))):
                y, a = ys[k], a + cotangents[k]
                for steps in solve.backward_chunks(k * solve.stride):
                    ends = solve.times(range(steps.start + 1, steps.stop + 1))
                    y, a, theta = step_back(y, a, solve.fixed, theta, solve.backward_noise(steps), ends)
            return a, theta

        return _differentiable.Sweep(solve, forward, backward)
