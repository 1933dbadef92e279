"""The estimate of a step's error: embedded in the scheme, or by doubling the step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeAlias

from harness.arithmetic import combine
from harness.arrays import A, Scalar, T
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme, State
from harness.schemes._runge_kutta import AbstractRungeKutta, Tableau, stages
from harness.terms import Terms

Step: TypeAlias = Callable[[Scalar, Scalar, State[T], T | None], tuple[State[T], Sequence[T] | None]]
"""(t, dt, state, dW) -> the state after the step, and what the estimate's `errors` says of it."""
Quiet: TypeAlias = Callable[[], AbstractContextManager[object]]
"""What is for the estimate alone goes on within one of these."""


@dataclass(frozen=True)
class Stretch(Generic[A]):
    """A step to try, from t over dt > 0, in the direction `sign`.

    W is the path at the start, in the middle (None unless the estimate `halves`) and at the end; all None for an ODE.
    """

    t: Scalar
    dt: Scalar
    W: tuple[A | None, A | None, A | None]
    sign: int = 1

    def increment(self, first: int, last: int) -> A | None:
        """dW between two of the three, forwards in time."""
        W0, W1 = self.W[first], self.W[last]
        if W0 is None or W1 is None:
            return None
        return W1 - W0 if self.sign > 0 else W0 - W1


class AbstractEstimate(ABC):
    """A scheme together with an estimate of the error of its steps."""

    parts: ClassVar[int]
    """The steps of the scheme that a step consists of. Also the shortest length, in ticks."""
    halves: ClassVar[bool]
    """Whether it asks for the path in the middle of a step."""
    opening: ClassVar[int] = 0
    """How often `begin` evaluates f."""

    @abstractmethod
    def exponent(self, problem: AbstractProblem) -> float:
        """The power of the step's length that the estimate has."""

    @abstractmethod
    def evaluations(self, noise: str) -> int:
        """How often f is evaluated for a step that is tried."""

    def begin(self, terms: Terms, t: Scalar, state: State[A]) -> State[A]:
        """What the first step at t starts from, given the scheme's state."""
        del terms, t
        return state

    def carried(self, state: State[A]) -> State[A]:
        """What the next step starts from, given the state after a step."""
        return state

    def scheme_state(self, state: State[A]) -> State[A]:
        """The scheme's state, given what a step starts from."""
        return state

    @abstractmethod
    def step(
        self, terms: Terms, stretch: tuple[Scalar, Scalar], state: State[A], dW: A | None, quiet: Quiet
    ) -> tuple[State[A], Sequence[A] | None]:
        """The scheme's step over `stretch`, (t, dt), and its `errors`. The first array of a state is y."""

    @abstractmethod
    def tableau(self) -> AbstractRungeKutta | Tableau:
        """The weights of a step of a Runge–Kutta scheme, with the stages that the estimate needs."""

    @abstractmethod
    def errors(self, *increments: Sequence[A]) -> tuple[A, ...] | None:
        """The error in each of several arrays, given its increments at every stage; None where it isn't embedded."""

    @abstractmethod
    def attempt(
        self,
        step: Step[A],
        whole: Step[A],
        stretch: Stretch[A],
        state: State[A],
        controlled: int,
        quiet: Quiet,
    ) -> tuple[list[State[A]], Sequence[A]]:
        """The state after each part of the step, and the errors of the first `controlled` arrays of the state.

        `whole` is `step` for a step that is only compared with others. It may leave out the rest of the state.
        """


@dataclass(frozen=True)
class Embedded(AbstractEstimate):
    """The difference of the two schemes of a Runge–Kutta pair that have the same stages."""

    pair: AbstractRungeKutta

    parts = 1
    halves = False

    def exponent(self, problem: AbstractProblem) -> float:
        """For an ODE the order: the local error of the scheme of lower order. An SDE's is a half above the order."""
        return order_of(self.pair, problem) + (0 if problem.noise == "none" else 0.5)

    def evaluations(self, noise: str) -> int:
        """Every stage."""
        del noise
        return len(self.pair.b)

    def step(
        self, terms: Terms, stretch: tuple[Scalar, Scalar], state: State[A], dW: A | None, quiet: Quiet
    ) -> tuple[State[A], Sequence[A] | None]:
        """By the stages, from which the error is made too."""
        increments = stages(self.pair, terms, *stretch, state[0], dW)
        with quiet():
            errors = self.errors(increments)
        return (combine(self.pair.b, increments, state[0]),), errors

    def tableau(self) -> AbstractRungeKutta:
        """The pair's."""
        return self.pair

    def errors(self, *increments: Sequence[A]) -> tuple[A, ...]:
        """By the difference of the weights."""
        return tuple(self._error(values) for values in increments)

    def _error(self, increments: Sequence[A]) -> A:
        error = combine(self.pair.b_error or (), increments)
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
        end, errors = step(stretch.t, stretch.dt, state, stretch.increment(0, 2))
        assert errors is not None  # a step of a pair tells its own
        return [end], errors


@dataclass(frozen=True)
class Doubled(AbstractEstimate):
    """The difference of one step to two half steps, which are what is kept, as in torchsde. For any scheme."""

    single: AbstractScheme

    parts = 2
    halves = True

    def exponent(self, problem: AbstractProblem) -> float:
        """That of the local error: one above the order for an ODE, a half for an SDE."""
        return order_of(self.single, problem) + (1 if problem.noise == "none" else 0.5)

    def evaluations(self, noise: str) -> int:
        """Those of three steps."""
        return 3 * self.single.work(noise)[0]

    def step(
        self, terms: Terms, stretch: tuple[Scalar, Scalar], state: State[A], dW: A | None, quiet: Quiet
    ) -> tuple[State[A], Sequence[A] | None]:
        """The scheme's own. Its error shows in the comparison only."""
        del quiet
        return self.single.step(terms, *stretch, state, dW), None

    def tableau(self) -> AbstractRungeKutta:
        """The scheme's."""
        assert isinstance(self.single, AbstractRungeKutta)
        return self.single

    def errors(self, *increments: Sequence[A]) -> None:
        """None of a single step."""
        del increments

    def attempt(
        self,
        step: Step[A],
        whole: Step[A],
        stretch: Stretch[A],
        state: State[A],
        controlled: int,
        quiet: Quiet,
    ) -> tuple[list[State[A]], Sequence[A]]:
        """One step, whose end is only compared, and two half steps."""
        t, dt = stretch.t, stretch.dt
        with quiet():
            compared, _ = whole(t, dt, state, stretch.increment(0, 2))
        half, _ = step(t, dt / 2, state, stretch.increment(0, 1))
        end, _ = step(t + stretch.sign * dt / 2, dt / 2, half, stretch.increment(1, 2))
        with quiet():
            errors = [x - y for x, y in zip(end[:controlled], compared[:controlled], strict=True)]
        return [half, end], errors


def order_of(scheme: AbstractScheme, problem: AbstractProblem) -> float:
    """The scheme's order for a problem whose steps may be adaptive."""
    order = scheme.order(problem)
    assert order is not None  # or the steps are refused
    return order
