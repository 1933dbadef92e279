"""Binomial checkpointing, PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.case import Case
from harness.methods.torch._method import AbstractTorchMethod

if TYPE_CHECKING:
    from harness.methods.torch._differentiable import AbstractDifferentiableSolve
    from harness.methods.torch._solve import TorchSolve


class RecursiveCheckpoint(AbstractTorchMethod):
    """Keep a given number of states at most, ⌈log2 N⌉ + 1 unless told, and recompute the others in Revolve's order.

    Griewank & Walther 2000 (Algorithm 799); `harness/methods/_revolve.py` has the schedule, whose unit is a block of
    steps with one graph, since a call of autograd.grad costs more than a step. Exact; memory O(log N); O(N log N)
    evaluations.
    """

    name = "torch/recursive-checkpoint"
    summary = "backpropagation with O(log N) checkpoints, binomial (Revolve)"
    checkpoints: ClassVar[int | None] = None
    """How many states are kept at most; a plugin that derives a class with another name may set a number, 1 at least.

    Time grows as the number falls: docs/methods/recursive-checkpoint.md has the formula.
    """
    step_seconds = 7e-4

    def unsupported(self, case: Case) -> str | None:
        """Every scheme."""
        return None

    def differentiable(self, solve: TorchSolve) -> AbstractDifferentiableSolve:
        """States in Revolve's order."""
        from harness.methods.torch._checkpoints import by_revolve

        return by_revolve(solve, self.checkpoints)
