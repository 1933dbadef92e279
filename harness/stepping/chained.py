"""An embedded pair whose last stage is the first of the next step, so that f is evaluated once less for every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.arithmetic import combine
from harness.arrays import A, Scalar
from harness.problem import AbstractProblem
from harness.scheme import State
from harness.schemes._runge_kutta import AbstractRungeKutta, Tableau, with_error_stage
from harness.stepping.estimate import AbstractEstimate, Quiet, Step, Stretch, order_of
from harness.terms import Terms


@dataclass(frozen=True)
class Chained(AbstractEstimate):
    """The difference of the two schemes of such a pair ("first same as last"), for ODEs.

    A step starts from (y, f), with f = f(t, y). A rejected step keeps both. The state after a step is (y1, f1), and
    then f at the earlier stages.
    """

    pair: AbstractRungeKutta

    parts = 1
    halves = False
    opening = 1

    def exponent(self, problem: AbstractProblem) -> float:
        """The order: the local error of the scheme of lower order."""
        return order_of(self.pair, problem)

    def evaluations(self, noise: str) -> int:
        """Every stage but the first."""
        del noise
        return len(self.pair.b)

    def begin(self, terms: Terms, t: Scalar, state: State[A]) -> State[A]:
        """With the first stage."""
        return state[0], terms.f(t, state[0])

    def carried(self, state: State[A]) -> State[A]:
        """Without the earlier stages."""
        return state[:2]

    def scheme_state(self, state: State[A]) -> State[A]:
        """y alone."""
        return state[:1]

    def step(
        self, terms: Terms, stretch: tuple[Scalar, Scalar], state: State[A], dW: A | None, quiet: Quiet
    ) -> tuple[State[A], Sequence[A]]:
        """By the stages, the last of which is at the end of the step."""
        del dW
        (t, dt), (y0, first) = stretch, state
        y1, stages = self.earlier_stages(terms, stretch, y0, first)
        last = terms.f(t + dt, y1)
        with quiet():
            errors = self.errors([*stages, last], by=dt)
        return (y1, last, *stages), errors

    def earlier_stages(self, terms: Terms, stretch: tuple[Scalar, Scalar], y0: A, first: A) -> tuple[A, list[A]]:
        """y at the end of a step over (t, dt), and f at every stage but the last; `first` is that at the first one."""
        (t, dt), found = stretch, [first]
        for row, c in zip(self.pair.a[1:], self.pair.c[1:], strict=True):
            found.append(terms.f(t + c * dt, combine(row, found, y0, by=dt)))
        return combine(self.pair.b, found, y0, by=dt), found

    def tableau(self) -> Tableau:
        """With the stage of the error, which is at the end of the step."""
        return with_error_stage(self.pair)

    def errors(self, *stages: Sequence[A], by: Scalar = None) -> tuple[A, ...]:
        """By the difference of the weights, times the length of the step, `by`."""
        return tuple(self._error(values, by) for values in stages)

    def _error(self, stages: Sequence[A], by: Scalar) -> A:
        error = combine(self.pair.b_error or (), stages, by=by)
        assert error is not None  # or the scheme would have another estimate
        return error

    def attempt(
        self,
        step: Step[A],
        whole: Step[A],
        stretch: Stretch[A],
        state: State[A],
        controlled: int,
        quiet: Quiet,
    ) -> tuple[list[State[A]], Sequence[A]]:
        """One step."""
        del whole, controlled, quiet
        end, errors = step(stretch.t, stretch.dt, state, None)
        assert errors is not None  # a step of a pair tells its own
        return [end], errors
