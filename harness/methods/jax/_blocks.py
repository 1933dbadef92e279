"""The steps of a solve in blocks of equal length, of which the last may be shorter: forwards, and backwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from harness.methods.jax._solve import JaxSolve, add
from harness.scheme import State


@dataclass(frozen=True)
class Blocks:
    """A solve with its parameters and noise, `length` steps a block, `count` blocks.

    The loops' bounds are data, which no automatic differentiation has to go through. The observations may lie anywhere
    in a block. A block's noise is drawn at once, (length, batch, noise_dim).
    """

    solve: JaxSolve
    theta: Any
    noise: Any
    length: int

    @property
    def count(self) -> int:
        """How many blocks the steps make."""
        return -(-self.solve.steps // self.length)

    def sweep(self, block: Any, state: State, ys: Any) -> tuple[State, Any]:
        """Forwards over a block, writing the observed states; until the next observation the last one written stays."""

        def body(_: Any, n: Any, dW: Any, carry: tuple[State, Any]) -> tuple[State, Any]:
            state, ys = carry
            state = self.solve.step(n, state, self.theta, dW)
            return state, put(ys, state[0], self.solve.observation(n)[1] + 1)

        return self._loop(block, self._draw(block), body, (state, ys))

    def advance(self, block: Any, state: State) -> State:
        """Forwards over a block."""

        def body(_: Any, n: Any, dW: Any, state: State) -> State:
            return self.solve.step(n, state, self.theta, dW)

        return self._loop(block, self._draw(block), body, state)

    def reverse(self, block: Any, state: State, bars: Any, cotangents: Any) -> Any:
        """Carry (cotangent of the state, ∂L/∂θ so far) back over a block, from the state before it.

        The block is run once more with the state before each step kept. `cotangents` are the observed states',
        (observations, batch, dim).
        """
        dWs = self._draw(block)

        def forward(i: Any, n: Any, dW: Any, carry: Any) -> Any:
            state, kept = carry
            return self.solve.step(n, state, self.theta, dW), put(kept, state, i)

        def backward(i: Any, n: Any, dW: Any, bars: Any) -> Any:
            (y_bar, *rest), theta_bar = bars
            observed, k = self.solve.observation(n + 1)
            y_bar = y_bar + jnp.where(observed, cotangents[k], 0)
            _, vjp = jax.vjp(lambda state, theta: self.solve.step(n, state, theta, dW), at(kept, i), self.theta)
            state_bar, product = vjp((y_bar, *rest))
            return state_bar, add(theta_bar, product)

        _, kept = self._loop(block, dWs, forward, (state, room(state, self.length)))
        return self._loop(block, dWs, backward, bars, reverse=True)

    def _draw(self, block: Any) -> Any:
        return self.solve.draw(self.noise, block * self.length, self.length)

    def _loop(self, block: Any, dWs: Any, body: Callable[..., Any], carry: Any, *, reverse: bool = False) -> Any:
        """Loop `body(i, n, dW, carry)` over the steps n of a block, i counting them from 0."""
        first = block * self.length
        count = jnp.minimum(self.length, self.solve.steps - first)

        def one_step(j: Any, carry: Any) -> Any:
            i = count - 1 - j if reverse else j
            return body(i, first + i, at(dWs, i), carry)

        return jax.lax.fori_loop(0, count, one_step, carry)


def room(state: Any, count: int) -> Any:
    """Zeros for so many states."""
    return jax.tree.map(lambda x: jnp.zeros((count, *x.shape), x.dtype), state)


def at(tree: Any, i: Any) -> Any:
    """The i-th of the states, or whatever has a leading axis."""
    return jax.tree.map(lambda x: x[i], tree)


def put(tree: Any, value: Any, i: Any) -> Any:
    """With the i-th state replaced."""
    return jax.tree.map(lambda x, v: jax.lax.dynamic_update_index_in_dim(x, v, i, 0), tree, value)
