"""Effectively symmetric schemes, reversed by a step back, JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods._support import NATIVE_SAMPLERS, not_effectively_symmetric
from harness.methods.jax._method import AbstractSweepMethod
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    from harness.methods.jax import _reconstruct
    from harness.methods.jax._sweep import AbstractSweep
else:
    (_reconstruct,) = lazily("harness.methods.jax._reconstruct")


class EffectivelySymmetric(AbstractSweepMethod):
    """Step an EES scheme back with −h and −dW, and backpropagate each step from the state so recovered.

    Shmelev et al. 2025 (arXiv 2507.21006). Memory O(1). The step back misses the state by O(h⁶) or O(h⁸) for an ODE,
    O(h³) or O(h⁴) for an SDE: the gradient is nearly that of the discrete solve where h is small, and wrong where not.
    """

    name = "jax/ees"
    summary = "an effectively symmetric scheme, reversed by a step back: nearly exact in O(1) memory"
    samplers = NATIVE_SAMPLERS
    exact = False
    default_schemes = ("ees25", "ees27")
    step_seconds = 6.7e-5

    def unsuited(self, scheme: AbstractScheme) -> str | None:
        """Effectively symmetric schemes only."""
        return not_effectively_symmetric(scheme)

    def sweep(self, scheme: AbstractScheme) -> AbstractSweep:
        """A step back, and its derivative."""
        return _reconstruct.StepBackSweep()
