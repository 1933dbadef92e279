"""Adaptive steps of the adjoint equation backwards, JAX: with every stage of their own, or the first one known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import jax
from jaxtyping import Array, Float, PyTree

from harness.arithmetic import combine, minus
from harness.methods.jax._adjoint import Backwards, adjoint_over
from harness.methods.jax._solve import JaxSolve, Y
from harness.scheme import State
from harness.stepping.chained import Chained
from harness.stepping.estimate import AbstractEstimate

Increment = Float[Array, "batch noise_dim"] | None
"""dW of a step; None for an ODE."""


@dataclass(frozen=True)
class AbstractBackwardSteps(ABC):
    """Steps of (y, a, ∂L/∂θ so far, …) from t to t − dt."""

    solve: JaxSolve
    theta: PyTree

    @abstractmethod
    def begin(self, t: Float[Array, ""], state: Backwards) -> State[PyTree]:
        """What a first step from t starts from."""

    @abstractmethod
    def step(
        self, t: Float[Array, ""], dt: Float[Array, ""], state: State[PyTree], dW: Increment
    ) -> tuple[State[PyTree], PyTree]:
        """The state at t − dt, and the errors of y and a where the estimate is embedded."""


@dataclass(frozen=True)
class BackwardSteps(AbstractBackwardSteps):
    """Each with all of its stages."""

    estimate: AbstractEstimate

    def begin(self, t: Float[Array, ""], state: Backwards) -> State[PyTree]:
        """Nothing more."""
        del t
        return state

    def step(
        self, t: Float[Array, ""], dt: Float[Array, ""], state: State[PyTree], dW: Increment
    ) -> tuple[State[PyTree], PyTree]:
        """By the stages of the tableau."""
        tableau = self.estimate.tableau()
        y, a, theta_bar = state
        start: Y = y

        def stage(i: int, increments: list[Y]) -> Y:
            return combine(minus(tableau.a[i]), increments, start)

        found = adjoint_over(self.solve, tableau, self.theta, (t, dt, dW), (a, theta_bar), state=stage)
        bars, increments, products = found
        end = (combine(minus(tableau.b), increments, y), *bars)
        return end, self.estimate.errors(increments, products)


@dataclass(frozen=True)
class ChainedBackwardSteps(AbstractBackwardSteps):
    """Of an ODE, by a pair whose last stage is the next step's first: f, aᵀ ∂f/∂y and aᵀ ∂f/∂θ are handed on.

    They stand at the end of the state.
    """

    estimate: Chained

    def begin(self, t: Float[Array, ""], state: Backwards) -> State[PyTree]:
        """With the first stage."""
        y, a, theta_bar = state
        return y, a, theta_bar, *self._stage(t, y, a)

    def step(
        self, t: Float[Array, ""], dt: Float[Array, ""], state: State[PyTree], dW: Increment
    ) -> tuple[State[PyTree], PyTree]:
        """The last stage, at t − dt, has no weight, but has all that the next step needs of it."""
        del dW
        tableau = self.estimate.tableau()
        y0, a0, theta_bar, f, product, by_theta = state
        y, a, stages, products = y0, a0, [f], [product]
        for number, (row, weight, c) in enumerate(zip(tableau.a, tableau.b, tableau.c, strict=True)):
            if number:
                y, a = combine(minus(row), stages, y0, by=dt), combine(row, products, a0, by=dt)
                f, product, by_theta = self._stage(t - c * dt, y, a)
                stages.append(f)
                products.append(product)
            if weight:
                theta_bar = jax.tree.map(lambda total, x, w=weight: total + w * dt * x, theta_bar, by_theta)
        return (y, a, theta_bar, f, product, by_theta), self.estimate.errors(stages, products, by=dt)

    def _stage(self, t: Float[Array, ""], y: Y, a: Y) -> tuple[Y, Y, PyTree]:
        """f, and its products with a."""
        f, vjp = jax.vjp(lambda y, theta: self.solve.terms(theta).f(t, y), y, self.theta)
        return f, *vjp(a)


def backward_steps(solve: JaxSolve, estimate: AbstractEstimate, theta: PyTree) -> AbstractBackwardSteps:
    """By what the estimate is."""
    if isinstance(estimate, Chained):
        return ChainedBackwardSteps(solve, theta, estimate)
    return BackwardSteps(solve, theta, estimate)
