"""Binomial checkpointing, JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from harness.case import Case
from harness.methods._support import NATIVE_SAMPLERS
from harness.methods.jax._method import AbstractSweepMethod
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    from harness.methods.jax._sweep import AbstractSweep


class RecursiveCheckpoint(AbstractSweepMethod):
    """Keep a given number of states at most, ⌈log2 N⌉ + 1 unless told, and recompute the others in Revolve's order.

    Griewank & Walther 2000 (Algorithm 799); `harness/methods/_revolve.py` has the schedule, whose unit is a block of
    steps, reversed with the state before each kept. The schedule is data that one loop reads, so that compiling takes
    the same time for any number of steps. Exact; memory O(log N); O(N log N) evaluations.
    """

    name = "jax/recursive-checkpoint"
    summary = "backpropagation with O(log N) checkpoints, binomial (Revolve)"
    samplers = NATIVE_SAMPLERS
    checkpoints: ClassVar[int | None] = None
    """How many states are kept at most; a plugin that derives a class with another name may set a number, 1 at least.

    Time grows as the number falls: docs/methods/recursive-checkpoint.md has the formula.
    """
    step_seconds = 2e-4

    def unsupported(self, case: Case) -> str | None:
        """Every scheme."""
        return None

    def sweep(self, scheme: AbstractScheme) -> AbstractSweep:
        """With as many checkpoints as the method has."""
        from harness.methods.jax._recursive_checkpoint import RecursiveCheckpointSweep

        return RecursiveCheckpointSweep(self.checkpoints)
