"""The stochastic adjoint, JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods._support import NATIVE_SAMPLERS
from harness.methods.jax._method import AbstractSweepMethod
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    from harness.methods.jax import _adaptive, _adjoint
    from harness.methods.jax._sweep import AbstractSweep
else:
    _adaptive, _adjoint = lazily("harness.methods.jax._adaptive", "harness.methods.jax._adjoint")


class Adjoint(AbstractSweepMethod):
    """Optimise, then discretise: solve the adjoint SDE backwards beside the state, on the same Brownian path.

    As `torch/adjoint`, which has the equations (Li et al. 2020, theorem 2.1 and algorithm 1). Memory O(1); biased.
    """

    name = "jax/adjoint"
    summary = "continuous (stochastic) adjoint, solved backwards on the same path"
    samplers = NATIVE_SAMPLERS
    steppings = ("fixed", "adaptive")
    exact = False
    step_seconds = 6.7e-5

    def sweep(self, scheme: AbstractScheme) -> AbstractSweep:
        """Beside the state."""
        return _adjoint.AdjointSweep()

    def adaptive_sweep(self) -> AbstractSweep:
        """Both solves with steps of their own."""
        return _adaptive.AdaptiveAdjointSweep()
