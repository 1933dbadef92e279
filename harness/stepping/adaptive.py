"""Adaptive steps of one solve: ticks, an estimate of the error and a controller, put together."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Generic

from harness.arrays import A, Namespace, Scalar
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme, State
from harness.stepping.controller import ODE_GAINS, SDE_GAINS, Controller
from harness.stepping.estimate import Doubled, Embedded, Quiet, Step, Stretch, estimate_of
from harness.stepping.ticks import Ticks, Way

MOST_STEPS = 2**12
"""Beyond so many a solve is given up, its gradient not a number. XLA's arrays need a bound; torch keeps to the same."""


@dataclass(frozen=True)
class Adaptive:
    """How the steps of a solve on its `way` are chosen. `first` is the length of the first one, in ticks."""

    way: Way
    first: int
    estimate: Embedded | Doubled
    controller: Controller

    @classmethod
    def of(
        cls, problem: AbstractProblem, scheme: AbstractScheme, way: Way, first: int, tolerances: tuple[float, float]
    ) -> Adaptive:
        """For a scheme that `adaptive_refusal` has nothing to say about. `tolerances` are (rtol, atol)."""
        estimate = estimate_of(problem, scheme)
        gains = ODE_GAINS if problem.noise == "none" else SDE_GAINS
        return cls(way, first, estimate, Controller(*tolerances, estimate.exponent(problem), gains))

    def back(self, problem: AbstractProblem, scheme: AbstractScheme) -> Adaptive:
        """With the same tolerances and on the same ticks from t1 to t0, by another scheme."""
        tolerances = self.controller.rtol, self.controller.atol
        return Adaptive.of(problem, scheme, Way(self.ticks, -1), self.first, tolerances)

    @property
    def ticks(self) -> Ticks:
        """Where steps may end."""
        return self.way.ticks

    @property
    def most(self) -> int:
        """The most tried steps that are kept."""
        return MOST_STEPS // self.estimate.parts

    def length(self, xp: Namespace, proposal: Scalar, place: Scalar) -> tuple[Scalar, Scalar]:
        """The next step in ticks, and the length of one of them.

        It is as proposed, but reaches to the next observation at most, and goes halfway there where little is left.
        A proposal counts in ticks of mean length.
        """
        parts = self.estimate.parts
        room, unit = self.way.ahead(xp, place)
        if not self.ticks.equal:
            proposal = proposal * (self.ticks.mean / unit)
        wanted = parts * xp.floor(xp.asarray(proposal) / parts).astype(int)
        wanted = xp.maximum(wanted, parts)
        half = -(-room // (2 * parts)) * parts
        return xp.where(wanted >= room, room, xp.where(2 * wanted > room, half, wanted)), unit

    def control(
        self, xp: Namespace, length: Scalar, unit: Scalar, error: Scalar, previous: Scalar
    ) -> tuple[Scalar, Scalar, Scalar]:
        """Whether a step is kept, the proposed length of the next, and the error that it is to remember."""
        kept, proposal, previous = self.controller.control(xp, length, self.estimate.parts, error, previous)
        return kept, proposal if self.ticks.equal else proposal * (unit / self.ticks.mean), previous


@dataclass(frozen=True)
class Attempt(Generic[A]):
    """One step, and its error.

    The first `controlled` arrays of the state have their error controlled. `whole` is `step` for the step that is only
    compared with two halves, and may leave out the rest of the state. What is only for the estimate goes on within
    `quiet()`.
    """

    adaptive: Adaptive
    xp: Namespace
    step: Step[A]
    whole: Step[A]
    controlled: int = 1
    quiet: Quiet = nullcontext

    def __call__(
        self, t: Scalar, dt: Scalar, state: State[A], W: tuple[A | None, A | None, A | None]
    ) -> tuple[list[State[A]], Scalar]:
        """Over dt > 0 from t: the state after each part of the step, and the norm of its error.

        W is the path at the start, in the middle (None unless the estimate `halves`) and at the end.
        """
        stretch = Stretch(t, dt, W, self.adaptive.way.sign)
        n, estimate = self.controlled, self.adaptive.estimate
        parts, errors = estimate.attempt(self.step, self.whole, stretch, state, n, self.quiet)
        with self.quiet():
            return parts, self.adaptive.controller.norm(self.xp, errors, state[:n], parts[-1][:n])
