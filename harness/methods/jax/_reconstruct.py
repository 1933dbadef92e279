"""Backpropagation along states that a backward sweep reconstructs, JAX: memory O(1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from harness.methods.jax._solve import JaxSolve, add, zeros
from harness.scheme import State

Back = Callable[[Any, State, State, Any, Any], tuple[State, State, Any]]
"""(n, state, adjoint, θ, dW) after step n -> the state and the adjoint before it, and what the step gives to ∂L/∂θ."""


def gradient_by_reconstruction(
    solve: JaxSolve, y0: Any, theta: Any, noise: Any, reverse: Callable[[Any, State, Any, Any], State]
) -> tuple[Any, Any, Any]:
    """The loss, ∂L/∂θ and ∂L/∂y0: solve forwards and keep the observed states alone, then step back from the final one.

    `reverse(n, state, theta, dW)` is the state that step n started from. One vector–Jacobian product of the forward
    step is taken from there.
    """

    def back(n: Any, state: State, adjoint: State, theta: Any, dW: Any) -> tuple[State, State, Any]:
        state = reverse(n, state, theta, dW)
        _, vjp = jax.vjp(lambda state, theta: solve.step(n, state, theta, dW), state, theta)
        return (state, *vjp(adjoint))

    return sweep(solve, y0, theta, noise, back)


def sweep(solve: JaxSolve, y0: Any, theta: Any, noise: Any, back: Back) -> tuple[Any, Any, Any]:
    """Forwards, then `back` for n = N − 1 … 0."""

    def body(carry: Any, n: Any, dW: Any, _: Any) -> tuple[Any, None]:
        state, adjoint, theta_bar = carry
        state, adjoint, product = back(n, state, adjoint, theta, dW)
        return (state, adjoint, add(theta_bar, product)), None

    def from_observation(carry: Any, inputs: Any) -> tuple[Any, None]:
        state, (y_bar, *rest), theta_bar = carry
        k, cotangent = inputs
        carry = state, (y_bar + cotangent, *rest), theta_bar
        return solve.scan(body, carry, noise, start=k * solve.stride, count=solve.stride, reverse=True)[0], None

    state, ys = solve.forward(y0, theta, noise)
    loss, cotangents = solve.loss_cotangents(ys)
    carry = (state, zeros(state), zeros(theta))
    inputs = (jnp.arange(solve.case.observations), cotangents)
    (_, adjoint, theta_bar), _ = jax.lax.scan(from_observation, carry, inputs, reverse=True)
    _, init_vjp = jax.vjp(solve.init, y0, theta)
    y0_bar, product = init_vjp(adjoint)
    return loss, add(theta_bar, product), y0_bar
