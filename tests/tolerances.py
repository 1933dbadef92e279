"""How far two gradients of float64 may be apart that are the same in exact arithmetic."""

from __future__ import annotations


def exact_tolerance(*, reconstructed: bool = True) -> float:
    """An exact method against backpropagation, over up to some hundred steps.

    Rounding of sums in another order, up to some 1e-14. A backward sweep that reconstructs each state from the next one
    carries the rounding of all steps before, a thousand times as much.
    """
    return 1e-11 if reconstructed else 1e-13


def agreement_tolerance() -> float:
    """Two implementations of one discrete gradient: the same operations in another order, over a few dozen steps."""
    return 1e-12


def same_call_tolerance(eps: float) -> float:
    """The same call of a library, in arithmetic with this unit of rounding: the times of its steps may be rounded
    otherwise, once each."""
    return 10 * eps


def single_solve_tolerance(eps: float) -> float:
    """A solve of about ten steps in arithmetic with this unit of rounding against the same one in float64.

    Some hundred roundings, which the solve may enlarge ten times.
    """
    return 1e3 * eps
