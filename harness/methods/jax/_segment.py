"""A stretch of steps, forwards with every state kept and backwards from them."""

from __future__ import annotations

from typing import Any

import jax

from harness.methods.jax._solve import JaxSolve, add


def forward_keeping(solve: JaxSolve, state: Any, theta: Any, noise: Any, *, start: Any, count: int) -> tuple[Any, Any]:
    """The state after `count` steps from step `start`; and of each of them the state before it and its noise.

    To draw the noise again would save one array a step and take as long as several evaluations of a small network.
    """

    def body(state: Any, n: Any, dW: Any, _: Any) -> tuple[Any, Any]:
        return solve.step(n, state, theta, dW), (state, dW)

    return solve.scan(body, state, noise, start=start, count=count)


def backward(solve: JaxSolve, carry: Any, theta: Any, kept: Any, *, start: Any, count: int) -> Any:
    """Carry (cotangent of the state, ∂L/∂θ so far) back over the steps of which `forward_keeping` kept this."""

    def body(carry: Any, n: Any, _: Any, kept: Any) -> tuple[Any, None]:
        state_bar, theta_bar = carry
        state, dW = kept
        _, vjp = jax.vjp(lambda state, theta: solve.step(n, state, theta, dW), state, theta)
        state_bar, product = vjp(state_bar)
        return (state_bar, add(theta_bar, product)), None

    return solve.scan(body, carry, None, start=start, count=count, inputs=kept, reverse=True)[0]
