"""Which scheme solves the continuous adjoint equation backwards."""

from __future__ import annotations

from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme
from harness.schemes._runge_kutta import AbstractRungeKutta
from harness.schemes.heun import Heun


def backward_scheme(scheme: AbstractScheme, problem: AbstractProblem) -> AbstractRungeKutta:
    """The forward scheme where it applies to the adjoint equation, a Stratonovich SDE (or an ODE); else Heun's.

    The adjoint's noise isn't additive even where the problem's is, when θ enters g, but then its Itô correction is
    zero all the same: g doesn't depend on y.
    """
    same_in_both = problem.noise in ("none", "additive")
    if isinstance(scheme, AbstractRungeKutta) and (same_in_both or "stratonovich" in scheme.calculi):
        return scheme
    return Heun()
