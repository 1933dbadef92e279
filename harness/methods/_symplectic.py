"""What the symplectic adjoint is for, and the weights that it goes backwards by. No framework."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.arithmetic import combine
from harness.arrays import A
from harness.case import Case
from harness.scheme import AbstractScheme
from harness.schemes._runge_kutta import AbstractRungeKutta

if TYPE_CHECKING:
    from jaxtyping import Float


def no_tableau(scheme: AbstractScheme) -> str | None:
    """Why the symplectic adjoint can't use this scheme, or None: explicit Runge–Kutta schemes only."""
    if isinstance(scheme, AbstractRungeKutta) and type(scheme).step is AbstractRungeKutta.step:
        return None
    return f"the symplectic adjoint is for explicit Runge–Kutta schemes, which {scheme.name} isn't"


def not_an_ode(case: Case) -> str | None:
    """Why the symplectic adjoint can't do the case, or None: ODEs only."""
    return None if case.noise == "none" else f"the symplectic adjoint is for ODEs: noise none, not {case.noise}"


def stage_state(
    tableau: AbstractRungeKutta, i: int, y: Float[A, "batch dim"], increments: Sequence[Float[A, "batch dim"]]
) -> Float[A, "batch dim"]:
    """y at stage i of the step from y, given the increments of the stages before it."""
    return combine(tableau.a[i], increments, y)


def stage_cotangent(
    tableau: AbstractRungeKutta, i: int, adjoint: Float[A, "batch dim"], later: dict[int, Float[A, "batch dim"]]
) -> Float[A, "batch dim"] | None:
    """What the increment of stage i receives: b_i λ + Σ_{j > i} a_ji ξ_j; None where nothing depends on it.

    `adjoint` is λ after the step, `later` has ξ_j, what y at the later stages received.
    """
    found = {j: xi for j, xi in later.items() if i < len(tableau.a[j])}
    return combine([tableau.b[i], *(tableau.a[j][i] for j in found)], [adjoint, *found.values()])
