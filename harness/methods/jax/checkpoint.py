"""Checkpointing in √N segments, JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods._support import NATIVE_SAMPLERS
from harness.methods.jax._method import AbstractSweepMethod
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    from harness.methods.jax import _checkpoint
    from harness.methods.jax._sweep import AbstractSweep
else:
    (_checkpoint,) = lazily("harness.methods.jax._checkpoint")


class Checkpoint(AbstractSweepMethod):
    """Keep the state at the start of each of about √N segments, recompute a segment when its gradient is due.

    Exact; memory O(√N); one more forward solve. Chen, Xu, Zhang & Guestrin, "Training deep nets with sublinear
    memory cost", 2016 (arXiv 1604.06174), section 4.
    """

    name = "jax/checkpoint"
    summary = "backpropagation with a checkpoint every √N steps"
    samplers = NATIVE_SAMPLERS
    step_seconds = 6.7e-5

    def sweep(self, scheme: AbstractScheme) -> AbstractSweep:
        """√N segments."""
        return _checkpoint.CheckpointSweep()
