"""Binomial checkpointing: which states to keep, and in which order to recompute the others. No framework.

Griewank & Walther, "Algorithm 799: Revolve", ACM Trans. Math. Softw. 26 (2000). With c checkpoints, the first state's
among them, N steps are reversed by t(N, c) = r N − β(c + 1, r − 1) advances and no fewer, where
β(s, r) = C(s + r, s) and r is the integer with β(c, r − 1) < N ≤ β(c, r): no step is advanced more than r times. An
advance is a plain step forwards; that with which a step is reversed (run once more, its inner values kept) isn't one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

BLOCK = 8  # steps that the methods advance and reverse together: what the schedule calls a step is a block to them
AT_HAND = -1


@dataclass(frozen=True)
class Leg:
    """Take the state in `slot`, which is the one before step `start`, and advance it to `stop`.

    There it is stored in the slot above, or (where not `store`) step `stop` is reversed from it. Slots above `slot` are
    free by then, and so is `slot` itself once its own step is reversed. The slot AT_HAND is the state that the caller
    has already: that which the forward sweep ended with.
    """

    slot: int
    start: int
    stop: int
    store: bool


@dataclass(frozen=True)
class Schedule:
    """A forward sweep that stores the states before the steps `stored` in the slots 0, 1, … and ends before the last
    step; then the legs that reverse all steps, the last one first."""

    stored: tuple[int, ...]
    legs: tuple[Leg, ...]


def default_checkpoints(steps: int) -> int:
    """⌈log2 N⌉ + 1: memory O(log N), and for any N up to 2^16 no step is advanced more than six times."""
    return (steps - 1).bit_length() + 1


def revolve(steps: int, checkpoints: int) -> Schedule:
    """The schedule for N steps with at most so many checkpoints alive. Raises ValueError where either is below one."""
    if steps < 1 or checkpoints < 1:
        raise ValueError(f"steps and checkpoints must be at least 1, given {steps} and {checkpoints}")
    legs = list(_legs(0, steps, 0, checkpoints))
    first = next(i for i, leg in enumerate(legs) if not leg.store)
    stored = (0, *(leg.stop for leg in legs[:first]))
    return Schedule(stored, (Leg(AT_HAND, steps - 1, steps - 1, store=False), *legs[first + 1 :]))


def _legs(start: int, stop: int, slot: int, checkpoints: int) -> Iterator[Leg]:
    """Reverse the steps start … stop − 1, the state before them being in `slot` and those above it free."""
    while stop - start > 1 and slot < checkpoints - 1:
        middle = start + _first_part(stop - start, checkpoints - slot)
        if stop - middle > 1:
            yield Leg(slot, start, middle, store=True)
            yield from _legs(middle, stop, slot + 1, checkpoints)
        else:
            yield Leg(slot, start, middle, store=False)
        stop = middle
    for step in reversed(range(start, stop)):
        yield Leg(slot, start, step, store=False)


def _first_part(steps: int, checkpoints: int) -> int:
    """How far to advance before the next checkpoint: j, with j ≤ β(c, r − 1) and N − j ≤ β(c − 1, r).

    With these and j ≥ β(c, r − 2), N − j ≥ β(c − 1, r − 1) any j is optimal; this is the least.
    """
    r = 0
    while _beta(checkpoints, r) < steps:
        r += 1
    return max(1, _beta(checkpoints, r - 2), steps - _beta(checkpoints - 1, r))


def _beta(s: int, r: int) -> int:
    """How many steps s checkpoints reverse with r advances of each at most."""
    return math.comb(s + r, s) if r >= 0 else 0
