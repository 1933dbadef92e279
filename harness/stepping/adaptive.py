"""Adaptive steps of one solve: ticks, an estimate of the error and a controller, put together."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Generic

from harness.arrays import A, Namespace, Scalar
from harness.grid import Grid
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme, State
from harness.schemes._runge_kutta import AbstractRungeKutta
from harness.stepping.chained import Chained
from harness.stepping.controller import MOST_OF_AN_ODE, MOST_OF_AN_SDE, ODE_GAINS, SDE_GAINS, Controller
from harness.stepping.dense import Dense
from harness.stepping.estimate import AbstractEstimate, Doubled, Embedded, Quiet, Step, Stretch
from harness.stepping.ticks import Ticks, Way

MOST_STEPS = 2**12
"""Beyond so many a solve is given up, its gradient not a number. XLA's arrays need a bound; torch keeps to the same."""


@dataclass(frozen=True)
class Adaptive:
    """How the steps of a solve on its `way` are chosen. `first` is the length of the first one, in ticks.

    `grid` has the observations. With `dense` steps go over them, and it gives their states; else steps end there.
    """

    way: Way
    first: int
    estimate: AbstractEstimate
    controller: Controller
    grid: Grid
    dense: Dense | None = None

    @classmethod
    def of(
        cls,
        problem: AbstractProblem,
        scheme: AbstractScheme,
        grid: Grid,
        tolerances: tuple[float, float],
        sign: int = 1,
    ) -> Adaptive:
        """For a scheme that `adaptive_refusal` has nothing to say about. `tolerances` are (rtol, atol).

        The first step is that of `grid`. Where `sign` is −1 the way goes back, and steps end at every observation.
        """
        estimate = estimate_of(problem, scheme)
        dense = Dense.of(estimate.pair, grid) if isinstance(estimate, Chained) and sign > 0 else None
        ticks = Ticks.of(grid, noisy=problem.noise != "none") if dense is None else dense.ticks
        gains, most = (ODE_GAINS, MOST_OF_AN_ODE) if problem.noise == "none" else (SDE_GAINS, MOST_OF_AN_SDE)
        controller = Controller(*tolerances, estimate.exponent(problem), gains, most)
        return cls(Way(ticks, sign), ticks.count // grid.steps, estimate, controller, grid, dense)

    def back(self, problem: AbstractProblem, scheme: AbstractScheme) -> Adaptive:
        """With the same tolerances from t1 to t0, by another scheme."""
        return Adaptive.of(problem, scheme, self.grid, (self.controller.rtol, self.controller.atol), -1)

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


def estimate_of(problem: AbstractProblem, scheme: AbstractScheme) -> AbstractEstimate:
    """Embedded where the scheme has a pair and both of the pair solve the same equation: ODEs and additive noise.

    For other noise Heun's embedded scheme won't do. It is Euler's, which converges to the Itô solution, so that the
    difference, ½ (∂g/∂y) g dW² and not an error, is of order dt where the error of a step is of order dt^{3/2}.
    """
    same_in_both = problem.noise in ("none", "additive")
    if not isinstance(scheme, AbstractRungeKutta) or scheme.b_error is None or not same_in_both:
        return Doubled(scheme)
    return Chained(scheme) if len(scheme.b_error) > len(scheme.b) else Embedded(scheme)
