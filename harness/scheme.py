"""The abstract scheme: one step of a solver, over an array namespace."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias, overload

from harness.arrays import A, Scalar, T
from harness.problem import AbstractProblem
from harness.terms import Terms

if TYPE_CHECKING:
    from jaxtyping import Float

State: TypeAlias = tuple[T, ...]
"""A scheme's state: y, (batch, dim), first, then whatever else the scheme carries from step to step."""
Noise: TypeAlias = T | tuple[T, T] | None
"""What drives one step: the Brownian increment dW, (batch, noise_dim); for a scheme that `needs_levy_area` the pair
(dW, H), H being the step's space–time Lévy area, of the same shape; None for an ODE."""


@dataclass(frozen=True)
class Orders:
    """Strong orders of convergence for an ODE and for each kind of noise. None: unknown, or not supported."""

    none: float | None = None
    additive: float | None = None
    commutative: float | None = None
    general: float | None = None


@overload
def increment_of(noise: A | tuple[A, A]) -> A: ...
@overload
def increment_of(noise: None) -> None: ...
def increment_of(noise: Noise[A]) -> A | None:
    """dW of a step's noise, which may be dW or the pair (dW, H)."""
    return noise[0] if isinstance(noise, tuple) else noise


def backward_noise(dW: A | None) -> A | None:
    """The increment of the same step taken backwards: −dW; None for an ODE."""
    return None if dW is None else -dW


class AbstractScheme(ABC):
    """A one-step scheme. Its state is a tuple of arrays; the first is y, (batch, dim)."""

    name: ClassVar[str]
    """Its name in a suite."""
    calculi: ClassVar[tuple[str, ...]]
    """Whether it converges to the Itô or the Stratonovich solution. For ODEs and additive noise these are the same."""
    noises: ClassVar[tuple[str, ...]] = ("none", "additive", "scalar", "diagonal", "general")
    """The types of noise that it solves; `none` is an ODE."""
    evaluations: ClassVar[int]
    """How often one step evaluates f."""
    evaluations_of_g: ClassVar[int | None] = None
    """How often one step evaluates g. None: as often as f."""
    summary: ClassVar[str]
    """One line for `harness list schemes`."""

    orders: ClassVar[Orders] = Orders()
    """Its strong orders of convergence."""
    order_note: ClassVar[str] = ""
    """Why a problem may show a higher order than these at practical step sizes; empty if there is no reason."""
    needs_levy_area: ClassVar[bool] = False
    """Whether a step takes the pair (dW, H) rather than dW alone."""
    needs_commutative: ClassVar[bool] = False
    """Whether it is only correct for commutative noise, because it uses no Lévy areas."""
    reversible: ClassVar[bool] = False
    """Whether a step can be undone exactly, up to rounding: see `AbstractReversibleScheme`."""
    effectively_symmetric: ClassVar[bool] = False
    """Whether a step with −dt and −dW nearly undoes a step, with an error far smaller than the scheme's own."""

    def unsupported(self, problem: AbstractProblem) -> str | None:
        """Why the scheme doesn't solve the problem; None if it does."""
        noise, calculus = problem.noise, problem.calculus
        if noise not in self.noises:
            return f"{self.name} is for noise {', '.join(self.noises)}, not {noise}"
        if noise not in ("none", "additive") and calculus not in self.calculi:
            return f"{self.name} converges to the {' or '.join(self.calculi)} solution, not the {calculus} one"
        if self.needs_commutative and not problem.commutative:
            return f"{self.name} needs commutative noise, and {problem.name} doesn't declare that its noise commutes"
        return None

    def work(self, noise: str) -> tuple[int, int]:
        """How often one step evaluates f, and how often g, for this type of noise."""
        del noise
        return self.evaluations, self.evaluations if self.evaluations_of_g is None else self.evaluations_of_g

    def order(self, problem: AbstractProblem) -> float | None:
        """The strong order for the problem; None if it isn't known."""
        kind = problem.noise
        if problem.additive:
            kind = "additive"
        elif kind != "none":
            kind = "commutative" if problem.commutative else "general"
        return getattr(self.orders, kind)

    @abstractmethod
    def init(self, terms: Terms, t0: Scalar, y0: Float[A, "batch dim"]) -> State[A]:
        """The state of the scheme at t0, given the initial value y0."""

    @abstractmethod
    def step(self, terms: Terms, t0: Scalar, dt: Scalar, state: State[A], dW: Noise[A]) -> State[A]:
        """The state at t0 + dt, given the state at t0.

        `dW` is the Brownian increment of the step, (batch, noise_dim), or the pair (dW, H) if `needs_levy_area`; None
        for an ODE.
        """


class AbstractReversibleScheme(AbstractScheme):
    """A scheme whose step has an inverse in closed form. A backward sweep then needs no stored states."""

    reversible = True

    @abstractmethod
    def reverse(self, terms: Terms, t1: Scalar, dt: Scalar, state1: State[A], dW: Noise[A]) -> State[A]:
        """The inverse of `step`, up to rounding: the state at t1 − dt, given the state at t1 and the step's noise."""
