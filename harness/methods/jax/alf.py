"""MALI: the asynchronous leapfrog's exact O(1)-memory gradient, JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods._support import not_alf
from harness.methods.jax._method import AbstractSweepMethod
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    from harness.methods.jax import _reconstruct
    from harness.methods.jax._sweep import AbstractSweep
else:
    (_reconstruct,) = lazily("harness.methods.jax._reconstruct")


class AsynchronousLeapfrog(AbstractSweepMethod):
    """Step the leapfrog back and backpropagate with the very evaluation of f that the step back needs.

    Zhuang et al. 2021 (arXiv 2102.04668), algorithm 4. ODEs only. Exact up to rounding, memory O(1), one evaluation of
    f a step each way.
    """

    name = "jax/alf"
    summary = "asynchronous leapfrog (MALI), reconstructed backwards: exact in O(1) memory, ODEs only"
    default_schemes = ("alf",)
    step_seconds = 2.7e-5

    def unsuited(self, scheme: AbstractScheme) -> str | None:
        """The leapfrog only."""
        return not_alf(scheme)

    def sweep(self, scheme: AbstractScheme) -> AbstractSweep:
        """Its own."""
        return _reconstruct.LeapfrogSweep()
