"""Forwards with the state before every step kept, and backwards from them, JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from harness.methods.jax._solve import JaxSolve, add, zeros
from harness.scheme import State

Keep = Callable[[JaxSolve, Any, State, Any, Any], tuple[State, Any]]
"""(solve, n, state, θ, dW) -> the state after step n, and what is kept of it beside the state before it and dW."""
Again = Callable[[JaxSolve, Any, State, Any, Any, Any], State]
"""(solve, n, state, θ, dW, what is kept) -> the state after step n once more, to be differentiated."""


def forward_keeping(
    solve: JaxSolve, state: Any, theta: Any, noise: Any, *, start: Any, count: int, keep: Keep
) -> tuple[Any, Any]:
    """The state after `count` steps from step `start`; and of each the state before it, its noise and what `keep` says.

    To draw the noise again would save one array a step and take as long as several evaluations of a small network.
    """

    def body(state: Any, n: Any, dW: Any, _: Any) -> tuple[Any, Any]:
        after, kept = keep(solve, n, state, theta, dW)
        return after, (state, dW, kept)

    return solve.scan(body, state, noise, start=start, count=count)


def gradient_by_steps(
    solve: JaxSolve, y0: Any, theta: Any, noise: Any, *, keep: Keep, again: Again
) -> tuple[Any, Any, Any]:
    """The loss, ∂L/∂θ and ∂L/∂y0: a scan forwards, and one backwards over the vector–Jacobian products of `again`."""

    def to_observation(state: Any, k: Any) -> tuple[Any, Any]:
        start = k * solve.stride
        state, kept = forward_keeping(solve, state, theta, noise, start=start, count=solve.stride, keep=keep)
        return state, (state[0], kept)

    def back(carry: Any, n: Any, _: Any, inputs: Any) -> tuple[Any, None]:
        state_bar, theta_bar = carry
        state, dW, kept = inputs
        _, vjp = jax.vjp(lambda state, theta: again(solve, n, state, theta, dW, kept), state, theta)
        state_bar, product = vjp(state_bar)
        return (state_bar, add(theta_bar, product)), None

    def from_observation(carry: Any, inputs: Any) -> tuple[Any, None]:
        (y_bar, *rest), theta_bar = carry
        k, cotangent, kept = inputs
        carry = ((y_bar + cotangent, *rest), theta_bar)
        start = k * solve.stride
        return solve.scan(back, carry, None, start=start, count=solve.stride, inputs=kept, reverse=True)[0], None

    state, init_vjp = jax.vjp(solve.init, y0, theta)
    observations = jnp.arange(solve.case.observations)
    state, (ys, kept) = jax.lax.scan(to_observation, state, observations)
    loss, cotangents = solve.loss_cotangents(ys)
    carry = (zeros(state), zeros(theta))
    (state_bar, theta_bar), _ = jax.lax.scan(from_observation, carry, (observations, cotangents, kept), reverse=True)
    y0_bar, product = init_vjp(state_bar)
    return loss, add(theta_bar, product), y0_bar


def by_steps(solve: JaxSolve, y0: Any, theta: Any, noise: Any) -> tuple[Any, Any, Any]:
    """Of any scheme: JAX's own derivative of its steps."""
    return gradient_by_steps(solve, y0, theta, noise, keep=step_alone, again=step_again)


def step_alone(solve: JaxSolve, n: Any, state: State, theta: Any, dW: Any) -> tuple[State, tuple[()]]:
    """The state after step n. Nothing more is kept."""
    return solve.step(n, state, theta, dW), ()


def step_again(solve: JaxSolve, n: Any, state: State, theta: Any, dW: Any, kept: tuple[()]) -> State:
    """The state after step n."""
    del kept
    return solve.step(n, state, theta, dW)
