"""The exact O(1)-memory gradient of a reversible scheme, JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods._support import NATIVE_SAMPLERS, irreversible
from harness.methods.jax._method import AbstractSweepMethod
from harness.scheme import AbstractScheme
from harness.schemes.reversible_heun import ReversibleHeun

if TYPE_CHECKING:
    from harness.methods.jax import _reconstruct, _reversible_heun
    from harness.methods.jax._sweep import AbstractSweep
else:
    _reconstruct, _reversible_heun = lazily("harness.methods.jax._reconstruct", "harness.methods.jax._reversible_heun")


class Reversible(AbstractSweepMethod):
    """Step the scheme backwards algebraically and backpropagate each step as it is recovered.

    For every reversible scheme: exact up to rounding, memory O(1). A step back evaluates the scheme twice, once to
    reverse it and once for its vector–Jacobian product; reversible Heun has its own sweep with one evaluation of f and
    g a step (Kidger et al. 2021, arXiv 2105.13493, algorithms 1 and 2). `docs/methods/reversible.md` has the formulas.
    """

    name = "jax/reversible"
    summary = "a reversible scheme, reconstructed backwards: exact in O(1) memory"
    samplers = NATIVE_SAMPLERS
    default_schemes = ("reversible-heun",)
    step_seconds = 4.5e-5

    def unsuited(self, scheme: AbstractScheme) -> str | None:
        """Reversible schemes only."""
        return irreversible(scheme)

    def sweep(self, scheme: AbstractScheme) -> AbstractSweep:
        """Reversible Heun's own, or the inverse of the scheme."""
        return (
            _reversible_heun.ReversibleHeunSweep()
            if isinstance(scheme, ReversibleHeun)
            else _reconstruct.ReversibleSweep()
        )
