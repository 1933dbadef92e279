"""Backpropagation through the solver, in compiled chunks, PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods.torch_compile._support import AbstractCompiled

if TYPE_CHECKING:
    from torch import Tensor

    from harness.methods.torch import _differentiable
    from harness.methods.torch_compile._chunks import ChunkedSolve
else:
    (_differentiable,) = lazily("harness.methods.torch._differentiable")


class Backprop(AbstractCompiled):
    """As `torch/backprop`, a chunk of steps being one compiled function, and another its vector–Jacobian product.

    The exact gradient of the discrete solve, memory O(steps): what AOTAutograd chooses to keep of each chunk.
    `docs/methods/torch-compile.md` has what is compiled, and how.
    """

    name = "torch-compile/backprop"
    summary = "backpropagation through the solver, its steps compiled in chunks by torch.compile"
    step_seconds = 1.2e-4

    def differentiable(self, solve: ChunkedSolve) -> _differentiable.AbstractDifferentiableSolve:
        """All chunks in one graph."""

        def observed(y0: Tensor) -> list[Tensor]:
            ys: list[Tensor] = []
            solve.observe(solve.init(y0), 0, solve.steps, ys)
            return ys

        return _differentiable.Unrolled(solve, observed)
