"""The adjoint equation on the stored forward path, JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.methods._support import NATIVE_SAMPLERS
from harness.methods.jax._method import AbstractSweepMethod
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    from harness.methods.jax import _interpolating_adjoint
    from harness.methods.jax._sweep import AbstractSweep
else:
    (_interpolating_adjoint,) = lazily("harness.methods.jax._interpolating_adjoint")


class InterpolatingAdjoint(AbstractSweepMethod):
    """Optimise, then discretise, on the stored path: a alone is solved backwards, y is the forward solution's.

    As `torch/interpolating-adjoint`, which has the sources. Memory O(N); biased, but stable where the forward solve is.
    """

    name = "jax/interpolating-adjoint"
    summary = "continuous adjoint, solved backwards on the stored forward path"
    samplers = NATIVE_SAMPLERS
    exact = False
    step_seconds = 5.4e-5

    def sweep(self, scheme: AbstractScheme) -> AbstractSweep:
        """On the stored path."""
        return _interpolating_adjoint.InterpolatingAdjointSweep()
