"""Backpropagation through the solver, PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods.torch._method import AbstractTorchMethod

if TYPE_CHECKING:
    from torch import Tensor

    from harness.methods.torch import _adaptive, _differentiable
    from harness.methods.torch._solve import TorchSolve
else:
    _adaptive, _differentiable = lazily("harness.methods.torch._adaptive", "harness.methods.torch._differentiable")


class Backprop(AbstractTorchMethod):
    """Discretise, then optimise: the exact gradient of the discrete solve. Memory O(steps), one graph, one sweep."""

    name = "torch/backprop"
    summary = "backpropagation through the solver, all intermediate values kept"
    steppings = ("fixed", "adaptive")
    unrolled = True
    step_seconds = 1.8e-4

    def differentiable(self, solve: TorchSolve) -> _differentiable.AbstractDifferentiableSolve:
        """All steps in one graph."""

        def observed(y0: Tensor) -> list[Tensor]:
            ys: list[Tensor] = []
            solve.observe(solve.init(y0), 0, solve.steps, ys)
            return ys

        return _differentiable.Unrolled(solve, observed)

    def with_adaptive_steps(self, solve: TorchSolve) -> _differentiable.AbstractDifferentiableSolve:
        """Through the kept steps."""
        return _adaptive.backprop(solve)
