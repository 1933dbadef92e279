"""Forwards with the state before every step kept, and backwards from them, JAX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from harness.methods.jax._solve import JaxSolve, add, zeros
from harness.methods.jax._sweep import AbstractSweep, loss_gradient
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


@dataclass(frozen=True)
class StepsSweep(AbstractSweep):
    """A scan forwards, and one backwards over the vector–Jacobian products of `again`."""

    keep: Keep
    again: Again

    def forward(self, solve: JaxSolve, y0: Any, theta: Any, noise: Any) -> tuple[Any, Any]:
        """Keep the state before every step, its noise and what `keep` says."""

        def to_observation(state: Any, k: Any) -> tuple[Any, Any]:
            start = k * solve.stride
            state, kept = forward_keeping(solve, state, theta, noise, start=start, count=solve.stride, keep=self.keep)
            return state, (state[0], kept)

        _, (ys, kept) = jax.lax.scan(to_observation, solve.init(y0, theta), jnp.arange(solve.case.observations))
        return ys, (y0, kept)

    def backward(self, solve: JaxSolve, theta: Any, noise: Any, residual: Any, ys_bar: Any) -> tuple[Any, Any]:
        """One product a step."""

        def back(carry: Any, n: Any, _: Any, inputs: Any) -> tuple[Any, None]:
            state_bar, theta_bar = carry
            state, dW, kept = inputs
            _, vjp = jax.vjp(lambda state, theta: self.again(solve, n, state, theta, dW, kept), state, theta)
            state_bar, product = vjp(state_bar)
            return (state_bar, add(theta_bar, product)), None

        def from_observation(carry: Any, inputs: Any) -> tuple[Any, None]:
            (y_bar, *rest), theta_bar = carry
            k, cotangent, kept = inputs
            carry = ((y_bar + cotangent, *rest), theta_bar)
            start = k * solve.stride
            return solve.scan(back, carry, None, start=start, count=solve.stride, inputs=kept, reverse=True)[0], None

        y0, kept = residual
        state, init_vjp = jax.vjp(solve.init, y0, theta)
        carry = (zeros(state), zeros(theta))
        inputs = (jnp.arange(solve.case.observations), ys_bar, kept)
        (state_bar, theta_bar), _ = jax.lax.scan(from_observation, carry, inputs, reverse=True)
        y0_bar, product = init_vjp(state_bar)
        return y0_bar, add(theta_bar, product)


def step_alone(solve: JaxSolve, n: Any, state: State, theta: Any, dW: Any) -> tuple[State, tuple[()]]:
    """The state after step n. Nothing more is kept."""
    return solve.step(n, state, theta, dW), ()


def step_again(solve: JaxSolve, n: Any, state: State, theta: Any, dW: Any, kept: tuple[()]) -> State:
    """The state after step n."""
    del kept
    return solve.step(n, state, theta, dW)


by_steps = loss_gradient(StepsSweep(step_alone, step_again))
"""The gradient of a loss by any scheme: JAX's own derivative of its steps."""
