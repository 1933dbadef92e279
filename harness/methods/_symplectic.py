"""What the symplectic adjoint is for, and the weights that it goes backwards by. No framework."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.arithmetic import combine
from harness.case import Case
from harness.schemes._runge_kutta import AbstractRungeKutta


def refusal(case: Case) -> str | None:
    """Why the symplectic adjoint can't do the case, or None: ODEs by explicit Runge–Kutta schemes only."""
    if case.noise != "none":
        return f"the symplectic adjoint is for ODEs: noise none, not {case.noise}"
    if case.scheme not in _names(AbstractRungeKutta):
        return f"the symplectic adjoint is for explicit Runge–Kutta schemes, which {case.scheme} isn't"
    return None


def _names(parent: type[AbstractRungeKutta]) -> Iterator[str]:
    """The names of the schemes known that are a tableau and nothing else, a plugin's among them."""
    for scheme in parent.__subclasses__():
        if "name" in vars(scheme) and scheme.step is AbstractRungeKutta.step:
            yield scheme.name
        yield from _names(scheme)


def stage_state(tableau: AbstractRungeKutta, i: int, y: Any, increments: Sequence[Any]) -> Any:
    """y at stage i of the step from y, given the increments of the stages before it."""
    return combine(tableau.a[i], increments, y)


def stage_cotangent(tableau: AbstractRungeKutta, i: int, adjoint: Any, later: dict[int, Any]) -> Any:
    """What the increment of stage i receives: b_i λ + Σ_{j > i} a_ji ξ_j; None where nothing depends on it.

    `adjoint` is λ after the step, `later` has ξ_j, what y at the later stages received.
    """
    found = {j: xi for j, xi in later.items() if i < len(tableau.a[j])}
    return combine([tableau.b[i], *(tableau.a[j][i] for j in found)], [adjoint, *found.values()])
