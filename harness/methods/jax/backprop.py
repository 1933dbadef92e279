"""Backpropagation through the solver, JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.methods._support import NATIVE_SAMPLERS
from harness.methods.jax._method import AbstractSweepMethod
from harness.scheme import AbstractScheme
from harness.schemes.reversible_heun import ReversibleHeun

if TYPE_CHECKING:
    from harness.methods.jax._sweep import AbstractSweep


class Backprop(AbstractSweepMethod):
    """Discretise, then optimise: the exact gradient of the discrete solve. Memory O(steps).

    The state before each step, the step's noise and the stages of a Runge–Kutta scheme are kept; what happens inside
    f and g is computed again in the backward sweep, which is faster than keeping it: it is memory, not arithmetic,
    that limits the plain scan. Of reversible Heun's state z alone is kept: no product reads more.
    """

    name = "jax/backprop"
    summary = "backpropagation through the solver, stages and noise of every step kept"
    samplers = NATIVE_SAMPLERS
    steppings = ("fixed", "adaptive")
    step_seconds = 1e-4

    def sweep(self, scheme: AbstractScheme) -> AbstractSweep:
        """Reversible Heun's z kept, the stages of a Runge–Kutta scheme, or the states alone."""
        from harness.methods.jax._reversible_heun import KeptHeunSweep
        from harness.methods.jax._segment import StepsSweep, step_again, step_alone
        from harness.methods.jax._stages import step_at, step_keeping
        from harness.schemes._runge_kutta import AbstractRungeKutta

        if isinstance(scheme, ReversibleHeun):
            return KeptHeunSweep()
        if isinstance(scheme, AbstractRungeKutta):
            return StepsSweep(step_keeping, step_at)
        return StepsSweep(step_alone, step_again)

    def adaptive_sweep(self) -> AbstractSweep:
        """Through the kept steps."""
        from harness.methods.jax._adaptive import AdaptiveBackpropSweep

        return AdaptiveBackpropSweep()
