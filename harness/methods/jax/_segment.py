"""A stretch of steps, forwards with every state kept and backwards from them."""

from __future__ import annotations

from typing import Any

import jax

from harness.methods.jax._solve import JaxSolve, add


def forward_keeping(solve: JaxSolve, state: Any, theta: Any, noise: Any, *, start: Any, count: int) -> tuple[Any, Any]:
    """The state after `count` steps from step `start`, and the state before each of them."""

    def body(state: Any, n: Any, dW: Any, _: Any) -> tuple[Any, Any]:
        return solve.step(n, state, theta, dW), state

    return solve.scan(body, state, noise, start=start, count=count)


def backward(solve: JaxSolve, carry: Any, theta: Any, noise: Any, kept: Any, *, start: Any, count: int) -> Any:
    """Carry (cotangent of the state, ∂L/∂θ so far) back over the steps whose states were kept."""

    def body(carry: Any, n: Any, dW: Any, state: Any) -> tuple[Any, None]:
        state_bar, theta_bar = carry
        _, vjp = jax.vjp(lambda state, theta: solve.step(n, state, theta, dW), state, theta)
        state_bar, product = vjp(state_bar)
        return (state_bar, add(theta_bar, product)), None

    return solve.scan(body, carry, noise, start=start, count=count, inputs=kept, reverse=True)[0]
