"""Backpropagation through the solver, JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods._support import NATIVE_SAMPLERS
from harness.methods.jax._method import AbstractSweepMethod
from harness.scheme import AbstractScheme
from harness.schemes._runge_kutta import AbstractRungeKutta
from harness.schemes.reversible_heun import ReversibleHeun

if TYPE_CHECKING:
    from harness.methods.jax import _adaptive, _reversible_heun, _segment, _stages
    from harness.methods.jax._sweep import AbstractSweep
else:
    _adaptive, _reversible_heun, _segment, _stages = lazily(
        "harness.methods.jax._adaptive",
        "harness.methods.jax._reversible_heun",
        "harness.methods.jax._segment",
        "harness.methods.jax._stages",
    )


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
    step_seconds = 4.5e-5

    def sweep(self, scheme: AbstractScheme) -> AbstractSweep:
        """Reversible Heun's z kept, the stages of a Runge–Kutta scheme, or the states alone."""
        if isinstance(scheme, ReversibleHeun):
            return _reversible_heun.KeptHeunSweep()
        if isinstance(scheme, AbstractRungeKutta):
            return _segment.StepsSweep(_stages.step_keeping, _stages.step_at)
        return _segment.StepsSweep(_segment.step_alone, _segment.step_again)

    def adaptive_sweep(self) -> AbstractSweep:
        """Through the kept steps."""
        return _adaptive.AdaptiveBackpropSweep()
