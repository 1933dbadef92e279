"""Binomial checkpointing, PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods._support import at_least_one
from harness.methods.torch._method import AbstractTorchMethod

if TYPE_CHECKING:
    from harness.methods.torch import _checkpoints
    from harness.methods.torch._differentiable import AbstractDifferentiableSolve
    from harness.methods.torch._solve import TorchSolve
else:
    (_checkpoints,) = lazily("harness.methods.torch._checkpoints")


@dataclass(frozen=True, kw_only=True)
class RecursiveCheckpoint(AbstractTorchMethod):
    """Keep a given number of states at most, ⌈log2 N⌉ + 1 unless told, and recompute the others in Revolve's order.

    Griewank & Walther 2000 (Algorithm 799); `harness/methods/_revolve.py` has the schedule, whose unit is a block of
    steps with one graph, since a call of autograd.grad costs more than a step. Exact; memory O(log N); O(N log N)
    evaluations.
    """

    name = "torch/recursive-checkpoint"
    summary = "backpropagation with O(log N) checkpoints, binomial (Revolve)"
    checkpoints: int | None = None
    """How many states are kept at most, 1 at least; None: ⌈log2 N⌉ + 1. Time grows as the number falls:
    docs/methods/recursive-checkpoint.md has the formula."""
    step_seconds = 3.1e-4

    def __post_init__(self) -> None:
        """Refuse a number below one."""
        at_least_one("checkpoints", self.checkpoints)

    def differentiable(self, solve: TorchSolve) -> AbstractDifferentiableSolve:
        """States in Revolve's order."""
        return _checkpoints.by_revolve(solve, self.checkpoints)
