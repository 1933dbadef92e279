"""Adaptive steps, over an array namespace: where steps end, the estimate of their error, the controller.

Steps end on ticks, a fine grid of whole numbers, so that the times of a step are the same numbers in both frameworks
and the Brownian path is asked at times that it has exactly. A step that is rejected changes nothing of the path: it is
a function of time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from harness.brownian.ticks import ticks_of
from harness.case import Case
from harness.grid import count_of
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme
from harness.schemes._runge_kutta import AbstractRungeKutta

MOST_STEPS = 2**12
"""Beyond so many a solve is given up, its gradient not a number. XLA's arrays need a bound; torch keeps to the same."""
SAFETY, LEAST, MOST = 0.9, 0.2, 5.0
"""Of the factor by which a step's length may change."""
GAINS = {True: (0.3, 0.4), False: (0.3, 0.1)}
"""(integral, proportional) by whether it is an ODE: Gustafsson's PI.3.4 (Hairer & Wanner 1996, section IV.2); for
SDEs, whose errors are random, one that heeds the trend less (Ilie, Jackson & Enright 2015; the gains are diffrax's)."""

State = tuple[Any, ...]
Step = Callable[[Any, Any, State, Any], tuple[State, Any]]
"""(t, dt, state, dW) -> the state after the step, and the embedded error of each controlled array, or None."""


def adaptive_refusal(problem: AbstractProblem, scheme: AbstractScheme, case: Case) -> str | None:
    """Why the case's steps can't be adaptive, or None."""
    if case.stepping == "fixed":
        return None
    if case.noise != "none" and case.brownian == "own":
        return "adaptive steps ask the path at any time, which the sampler own can't answer: use brownian tree"
    if not isinstance(case.observations, int):
        return "adaptive steps end on equally spaced ticks: they need a number of observations, not their times"
    if not case.rtol and not case.atol:
        return "adaptive steps need rtol or atol above 0"
    if scheme.needs_levy_area:
        return f"{scheme.name} needs Lévy areas, which are known over steps of one length only"
    if not problem.commutative:
        return "adaptive steps that skip rejected times converge for commutative noise only"
    order = scheme.order(problem)
    if order is None or (problem.noise != "none" and order < 1):
        return f"adaptive steps need a scheme of order 1 at least, which {scheme.name} isn't here"
    return None


@dataclass(frozen=True)
class Adaptive:
    """How the steps of one solve are chosen. `sign` is −1 where it goes backwards from t1.

    The error of a step is the embedded estimate where the scheme has one and both of the pair solve the same equation:
    ODEs and additive noise. Else it is the difference of a step to two half steps, which are what is kept, as in
    torchsde: Heun's embedded scheme is Euler's, which converges to the Itô solution, so that their difference,
    ½ (∂g/∂y) g dW² and not an error, is of order dt where the error of a step is of order dt^{3/2}. `exponent` is the
    power of the step's length that the estimate has. The norm is the root of the mean square over all entries of
    error / (atol + rtol |y|), |y| the larger at both ends.
    """

    ticks: int
    tick: float
    stride: int
    first: int
    embedded: bool
    exponent: float
    gains: tuple[float, float]
    rtol: float
    atol: float
    sign: int = 1

    @classmethod
    def of(cls, problem: AbstractProblem, scheme: AbstractScheme, case: Case, *, sign: int = 1) -> Adaptive:
        """For this scheme, of whose case `adaptive_refusal` has nothing to say."""
        same_in_both = problem.noise in ("none", "additive")
        embedded = isinstance(scheme, AbstractRungeKutta) and scheme.b_error is not None and same_in_both
        order = scheme.order(problem)
        assert order is not None
        of_ode = order if embedded else order + 1
        ticks = ticks_of(case)
        return cls(
            ticks=ticks,
            tick=(problem.t1 - problem.t0) / ticks,
            stride=ticks // count_of(case.observations),
            first=ticks // case.steps,
            embedded=embedded,
            exponent=of_ode if problem.noise == "none" else order + 0.5,
            gains=GAINS[problem.noise == "none"],
            rtol=case.rtol,
            atol=case.atol,
            sign=sign,
        )

    @property
    def parts(self) -> int:
        """The steps that an attempt keeps: one, or two halves. Also the least length, in ticks."""
        return 1 if self.embedded else 2

    @property
    def most(self) -> int:
        """The most attempts that are kept."""
        return MOST_STEPS // self.parts

    def evaluations(self, stages: int) -> int:
        """What an attempt evaluates, with a scheme of so many stages."""
        return stages if self.embedded else 3 * stages

    def tick_at(self, elapsed: Any) -> Any:
        """The tick at which a solve is that has gone over so many."""
        return elapsed if self.sign > 0 else self.ticks - elapsed

    def length(self, xp: Any, proposal: Any, elapsed: Any) -> Any:
        """The next step in ticks: as proposed, to the next observation at most, and halfway where little is left."""
        room = self.stride - elapsed % self.stride
        wanted = self.parts * xp.floor(xp.asarray(proposal) / self.parts).astype(int)
        wanted = xp.maximum(wanted, self.parts)
        half = -(-room // (2 * self.parts)) * self.parts
        return xp.where(wanted >= room, room, xp.where(2 * wanted > room, half, wanted))

    def control(self, xp: Any, length: Any, error: Any, previous: Any) -> tuple[Any, Any, Any]:
        """Whether a step is kept, the proposed length of the next, and the error that it is to remember.

        The shortest step is kept whatever its error.
        """
        error = xp.where(xp.isfinite(error), xp.maximum(error, 1e-10), 1e10)
        integral, proportional = (gain / self.exponent for gain in self.gains)
        grown = SAFETY * error ** -(integral + proportional) * previous**proportional
        shrunk = SAFETY * error ** (-1 / self.exponent)
        fits = error <= 1
        factor = xp.where(fits, xp.clip(grown, LEAST, MOST), xp.clip(shrunk, LEAST, 1.0))
        kept = fits | (length <= self.parts)
        return kept, length * factor, xp.where(kept, xp.clip(error, 1e-4, 1.0), previous)


@dataclass(frozen=True)
class Attempt:
    """One step, and its error.

    The first `controlled` arrays of the state have their error controlled. `whole` is `step` for the step that is only
    compared with two halves, and may leave out the rest of the state. What is only for the estimate goes on within
    `quiet()`.
    """

    adaptive: Adaptive
    xp: Any
    step: Step
    whole: Step
    controlled: int = 1
    quiet: Callable[[], AbstractContextManager[Any]] = nullcontext

    def __call__(self, t: Any, dt: Any, state: State, W: tuple[Any, Any, Any]) -> tuple[list[State], Any]:
        """Over dt > 0 from t: the state after each part of the step, and the norm of its error.

        W is the path at the start, at the middle (None where the error is embedded), at the end.
        """
        W0, middle, W1 = W
        n, sign = self.controlled, self.adaptive.sign
        if self.adaptive.embedded:
            end, errors = self.step(t, dt, state, self._increment(W0, W1))
            parts = [end]
        else:
            with self.quiet():
                whole, _ = self.whole(t, dt, state, self._increment(W0, W1))
            half, _ = self.step(t, dt / 2, state, self._increment(W0, middle))
            end, _ = self.step(t + sign * dt / 2, dt / 2, half, self._increment(middle, W1))
            parts = [half, end]
            with self.quiet():
                errors = [x - y for x, y in zip(end[:n], whole[:n], strict=True)]
        with self.quiet():
            return parts, self._norm(errors, state[:n], end[:n])

    def _increment(self, W0: Any, W1: Any) -> Any:
        """dW, forwards in time."""
        if W0 is None:
            return None
        return W1 - W0 if self.adaptive.sign > 0 else W0 - W1

    def _norm(self, errors: Sequence[Any], starts: Sequence[Any], ends: Sequence[Any]) -> Any:
        rtol, atol = self.adaptive.rtol, self.adaptive.atol
        squares = []
        for error, start, end in zip(errors, starts, ends, strict=True):
            scale = atol + rtol * self.xp.maximum(abs(start), abs(end)) if rtol else atol
            squares.append(((error / scale) ** 2).mean())
        return (sum(squares) / len(squares)) ** 0.5
