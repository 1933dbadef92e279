"""The abstract scheme: one step of a solver, over an array namespace."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from harness.problem import AbstractProblem
from harness.terms import Terms

State = tuple[Any, ...]
Noise = Any
"""What drives one step: the Brownian increment dW, (batch, noise_dim); for a scheme that `needs_levy_area` the pair
(dW, H), H being the step's space–time Lévy area, of the same shape; None for an ODE."""


def increment_of(noise: Noise) -> Any:
    """dW alone, whichever of the two forms the noise of a step has."""
    return noise[0] if isinstance(noise, tuple) else noise


class AbstractScheme(ABC):
    """A one-step scheme with a fixed step. Its state is a tuple of arrays whose first is y, (batch, dim)."""

    name: ClassVar[str]
    calculi: ClassVar[tuple[str, ...]]
    """The calculi that it converges to. For an ODE and for additive noise both are the same."""
    noises: ClassVar[tuple[str, ...]] = ("none", "additive", "scalar", "diagonal", "general")
    evaluations: ClassVar[int]
    """Evaluations of f and of g that one step needs."""
    summary: ClassVar[str]

    needs_levy_area: ClassVar[bool] = False
    """Whether a step takes the pair (dW, H) rather than dW alone."""
    needs_commutative: ClassVar[bool] = False
    """Whether it lacks the Lévy areas that noise needs which doesn't commute."""

    def unsupported(self, problem: AbstractProblem) -> str | None:
        """Why the scheme doesn't solve the problem, or None."""
        noise, calculus = problem.noise, problem.calculus
        if noise not in self.noises:
            return f"{self.name} is for noise {', '.join(self.noises)}, not {noise}"
        if noise not in ("none", "additive") and calculus not in self.calculi:
            return f"{self.name} converges to the {' or '.join(self.calculi)} solution, not the {calculus} one"
        if self.needs_commutative and not problem.commutative:
            return f"{self.name} needs commutative noise, which that of {problem.name} isn't"
        return None

    @abstractmethod
    def init(self, terms: Terms, t0: Any, y0: Any) -> State:
        """The state at the start."""

    @abstractmethod
    def step(self, terms: Terms, t0: Any, dt: float, state: State, dW: Noise) -> State:
        """The state at t0 + dt. dW is the Brownian increment, or the pair with H: see `Noise`."""
