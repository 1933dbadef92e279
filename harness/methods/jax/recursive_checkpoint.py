"""Binomial checkpointing, JAX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods._support import NATIVE_SAMPLERS, at_least_one
from harness.methods.jax._method import AbstractSweepMethod
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    from harness.methods.jax import _recursive_checkpoint
    from harness.methods.jax._sweep import AbstractSweep
else:
    (_recursive_checkpoint,) = lazily("harness.methods.jax._recursive_checkpoint")


@dataclass(frozen=True, kw_only=True)
class RecursiveCheckpoint(AbstractSweepMethod):
    """Keep a given number of states at most, ⌈log2 N⌉ + 1 unless told, and recompute the others in Revolve's order.

    Griewank & Walther 2000 (Algorithm 799); `harness/methods/_revolve.py` has the schedule, whose unit is a block of
    steps, reversed with the state before each kept. The schedule is data that one loop reads, so that compiling takes
    the same time for any number of steps. Exact; memory O(log N); O(N log N) evaluations.
    """

    name = "jax/recursive-checkpoint"
    summary = "backpropagation with O(log N) checkpoints, binomial (Revolve)"
    samplers = NATIVE_SAMPLERS
    checkpoints: int | None = None
    """How many states are kept at most, 1 at least; None: ⌈log2 N⌉ + 1. Time grows as the number falls:
    docs/methods/recursive-checkpoint.md has the formula."""
    step_seconds = 9e-5

    def __post_init__(self) -> None:
        """Refuse a number below one."""
        at_least_one("checkpoints", self.checkpoints)

    def sweep(self, scheme: AbstractScheme) -> AbstractSweep:
        """With as many checkpoints as the method has."""
        return _recursive_checkpoint.RecursiveCheckpointSweep(self.checkpoints)
