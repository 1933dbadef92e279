"""Checkpointing in √N segments, PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods.torch._method import AbstractTorchMethod

if TYPE_CHECKING:
    from harness.methods.torch import _checkpoints
    from harness.methods.torch._differentiable import AbstractDifferentiableSolve
    from harness.methods.torch._solve import TorchSolve
else:
    (_checkpoints,) = lazily("harness.methods.torch._checkpoints")


class Checkpoint(AbstractTorchMethod):
    """Keep the state at the start of each of about √N segments, recompute a segment when its gradient is due.

    Exact; memory O(√N); one more forward solve. Chen, Xu, Zhang & Guestrin, "Training deep nets with sublinear
    memory cost", 2016 (arXiv 1604.06174), section 4.
    """

    name = "torch/checkpoint"
    summary = "backpropagation with a checkpoint every √N steps"
    step_seconds = 2.2e-4

    def differentiable(self, solve: TorchSolve) -> AbstractDifferentiableSolve:
        """A state every ⌈√N⌉ steps."""
        return _checkpoints.by_segments(solve)
