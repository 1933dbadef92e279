"""The forward path between two grid points, for an adjoint equation solved on it. No framework."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.arrays import A
from harness.methods._backward import backward_scheme
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme
from harness.schemes._runge_kutta import AbstractRungeKutta
from harness.schemes.heun import Heun

if TYPE_CHECKING:
    from jaxtyping import Float


def scheme_on_path(scheme: AbstractScheme, problem: AbstractProblem) -> AbstractRungeKutta:
    """What solves the adjoint equation on the stored path: for an ODE the same as beside the state, for an SDE Heun's.

    Heun's stages lie on the grid; what an SDE's solution does between grid points, no interpolation gives.
    """
    return backward_scheme(scheme, problem) if problem.noise == "none" else Heun()


def reads_between(tableau: AbstractRungeKutta) -> bool:
    """Whether some stage lies between the grid points."""
    return any(c not in (0.0, 1.0) for c in tableau.c)


def state_on_path(
    c: float,
    y0: Float[A, "batch dim"],
    y1: Float[A, "batch dim"],
    k0: Float[A, "batch dim"] | None,
    increments: Sequence[Float[A, "batch dim"]],
) -> Float[A, "batch dim"]:
    """y at the part c of the way back from y1 to y0, by cubic Hermite interpolation between the two, of order 4.

    With k = h f at either end: k0 (None will do where c is 0 or 1), and the first of `increments`, those of the stages
    so far. Hairer, Nørsett & Wanner 1993, section II.6.
    """
    if c == 0:
        return y1
    if c == 1:
        return y0
    assert k0 is not None
    s = 1 - c
    return c * y0 + s * y1 - s * c * ((1 - 2 * s) * (y1 - y0) - c * k0 + s * increments[0])
