"""Backpropagation along states that a backward sweep reconstructs, JAX: memory O(1)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TypeAlias

import jax
from jaxtyping import Array, PyTree

from harness.brownian.jax_noise import Index, NoiseArgument
from harness.methods.jax._solve import JaxSolve, Observed, Y, add, zeros
from harness.methods.jax._sweep import AbstractSweep
from harness.scheme import AbstractReversibleScheme, Noise, State, backward_noise, increment_of

_Carry: TypeAlias = tuple[State[Array], State[Array], PyTree]
"""The state, its cotangent, and ∂L/∂θ so far."""


class AbstractReconstruction(AbstractSweep):
    """Solve forwards and keep the observed states alone, then step back from the final one, n = N − 1 … 0."""

    @abstractmethod
    def back(
        self, solve: JaxSolve, n: Index, state: State[Array], adjoint: State[Array], theta: PyTree, dW: Noise[Array]
    ) -> tuple[State[Array], State[Array], PyTree]:
        """From the state and the adjoint after step n: those before it, and what the step gives to ∂L/∂θ."""

    def forward(self, solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[Observed, PyTree]:
        """Keep the final state."""
        state, ys = solve.forward(y0, theta, noise)
        return ys, (y0, state)

    def backward(
        self, solve: JaxSolve, theta: PyTree, noise: NoiseArgument, residual: PyTree, ys_bar: Observed
    ) -> tuple[Y, PyTree]:
        """`back` for every step."""

        def back(carry: _Carry, n: Index, dW: Noise[Array], _: PyTree) -> _Carry:
            state, adjoint, theta_bar = carry
            state, adjoint, product = self.back(solve, n, state, adjoint, theta, dW)
            return state, adjoint, add(theta_bar, product)

        def meet(carry: _Carry, cotangent: Y) -> _Carry:
            state, (y_bar, *rest), theta_bar = carry
            return state, (y_bar + cotangent, *rest), theta_bar

        y0, state = residual
        carry = (state, zeros(state), zeros(theta))
        _, adjoint, theta_bar = solve.backwards(back, carry, noise, meet=meet, seen=ys_bar)
        _, init_vjp = jax.vjp(solve.init, y0, theta)
        y0_bar, product = init_vjp(adjoint)
        return y0_bar, add(theta_bar, product)


def _differentiated(
    solve: JaxSolve, n: Index, state: State[Array], adjoint: State[Array], theta: PyTree, dW: Noise[Array]
) -> tuple[State[Array], State[Array], PyTree]:
    """One vector–Jacobian product of forward step n, from the state before it."""
    _, vjp = jax.vjp(lambda state, theta: solve.step(n, state, theta, dW), state, theta)
    return (state, *vjp(adjoint))


@dataclass(frozen=True)
class ReversibleSweep(AbstractReconstruction):
    """By the scheme's own inverse."""

    def back(
        self, solve: JaxSolve, n: Index, state: State[Array], adjoint: State[Array], theta: PyTree, dW: Noise[Array]
    ) -> tuple[State[Array], State[Array], PyTree]:
        """Reverse the step and differentiate it."""
        assert isinstance(solve.scheme, AbstractReversibleScheme)
        state = solve.scheme.reverse(solve.terms(theta), solve.time(n + 1), solve.dt(n), state, dW)
        return _differentiated(solve, n, state, adjoint, theta, dW)


@dataclass(frozen=True)
class StepBackSweep(AbstractReconstruction):
    """By the scheme's own step, backwards: what effectively symmetric schemes are for."""

    def back(
        self, solve: JaxSolve, n: Index, state: State[Array], adjoint: State[Array], theta: PyTree, dW: Noise[Array]
    ) -> tuple[State[Array], State[Array], PyTree]:
        """Step with −h and −dW, and differentiate the step."""
        terms, t1 = solve.terms(theta), solve.time(n + 1)
        state = solve.scheme.step(terms, t1, -solve.dt(n), state, backward_noise(increment_of(dW)))
        return _differentiated(solve, n, state, adjoint, theta, dW)


@dataclass(frozen=True)
class LeapfrogSweep(AbstractReconstruction):
    """The asynchronous leapfrog's (Zhuang et al. 2021, algorithm 4): one evaluation of f and its product a step."""

    def back(
        self, solve: JaxSolve, n: Index, state: State[Array], adjoint: State[Array], theta: PyTree, dW: Noise[Array]
    ) -> tuple[State[Array], State[Array], PyTree]:
        """The evaluation that the step back needs is the one that is differentiated."""
        del dW
        half = 0.5 * solve.dt(n)
        (y1, v1), (y_bar, v_bar) = state, adjoint
        v_bar = v_bar + half * y_bar
        y = y1 - half * v1
        f, vjp = jax.vjp(lambda y, theta: solve.terms(theta).f(solve.time(n) + half, y), y, theta)
        product, theta_product = vjp(2 * v_bar)
        y_bar = y_bar + product
        v0 = 2 * f - v1
        return (y - half * v0, v0), (y_bar, half * y_bar - v_bar), theta_product
