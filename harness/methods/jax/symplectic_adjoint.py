"""The symplectic adjoint of Runge–Kutta schemes for ODEs, JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.case import Case
from harness.lazy import lazily
from harness.methods._symplectic import no_tableau, not_an_ode
from harness.methods.jax._method import AbstractSweepMethod
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    from harness.methods.jax import _symplectic_adjoint
    from harness.methods.jax._sweep import AbstractSweep
else:
    (_symplectic_adjoint,) = lazily("harness.methods.jax._symplectic_adjoint")


class SymplecticAdjoint(AbstractSweepMethod):
    """Solve the adjoint ODE by the tableau that is symplectic together with the forward one: exact, a stage at a time.

    As `torch/symplectic-adjoint`, which has the sources; `docs/methods/symplectic-adjoint.md` has the formulas.
    """

    name = "jax/symplectic-adjoint"
    summary = "adjoint by the symplectic partner of a Runge–Kutta scheme: exact, one stage at a time; ODEs"
    default_schemes = ("rk4", "heun", "euler", "midpoint")
    step_seconds = 4.5e-5

    def unsuited(self, scheme: AbstractScheme) -> str | None:
        """Explicit Runge–Kutta schemes only."""
        return no_tableau(scheme)

    def unsupported(self, case: Case) -> str | None:
        """ODEs only."""
        return not_an_ode(case)

    def sweep(self, scheme: AbstractScheme) -> AbstractSweep:
        """By the partner of the scheme's tableau."""
        return _symplectic_adjoint.SymplecticAdjointSweep()
