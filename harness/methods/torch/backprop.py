"""Backpropagation through the solver, PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.methods.torch._method import AbstractTorchMethod

if TYPE_CHECKING:
    from harness.methods.torch._differentiable import AbstractDifferentiableSolve
    from harness.methods.torch._solve import TorchSolve


class Backprop(AbstractTorchMethod):
    """Discretise, then optimise: the exact gradient of the discrete solve. Memory O(steps), one graph, one sweep."""

    name = "torch/backprop"
    summary = "backpropagation through the solver, all intermediate values kept"
    steppings = ("fixed", "adaptive")
    unrolled = True
    step_seconds = 4e-4

    def differentiable(self, solve: TorchSolve) -> AbstractDifferentiableSolve:
        """All steps in one graph."""
        from harness.methods.torch._differentiable import Unrolled

        def observed(y0):
            ys = []
            solve.observe(solve.init(y0), 0, solve.steps, ys)
            return ys

        return Unrolled(solve, observed)

    def with_adaptive_steps(self, solve: TorchSolve) -> AbstractDifferentiableSolve:
        """Through the kept steps."""
        from harness.methods.torch import _adaptive

        return _adaptive.backprop(solve)
