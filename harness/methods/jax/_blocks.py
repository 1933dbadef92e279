"""The steps of a solve in blocks of equal length, of which the last may be shorter: forwards, and backwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from harness.brownian.jax_noise import Index, NoiseArgument
from harness.methods.jax._solve import Bars, Carry, JaxSolve, Observed, add
from harness.scheme import Noise, State


@dataclass(frozen=True)
class Blocks:
    """A solve with its parameters and noise, `length` steps a block, `count` blocks.

    The loops' bounds are data, which no automatic differentiation has to go through. The observations may lie anywhere
    in a block. A block's noise is drawn at once.
    """

    solve: JaxSolve
    theta: PyTree
    noise: NoiseArgument
    length: int

    @property
    def count(self) -> int:
        """How many blocks the steps make."""
        return -(-self.solve.steps // self.length)

    def sweep(self, block: Index, state: State[Array], ys: Observed) -> tuple[State[Array], Observed]:
        """Forwards over a block, writing the observed states; until the next observation the last one written stays."""

        def body(
            _: Index, n: Index, dW: Noise[Array], carry: tuple[State[Array], Observed]
        ) -> tuple[State[Array], Observed]:
            state, ys = carry
            state = self.solve.step(n, state, self.theta, dW)
            return state, put(ys, state[0], self.solve.observation(n)[1] + 1)

        return self._loop(block, self._draw(block), body, (state, ys))

    def advance(self, block: Index, state: State[Array]) -> State[Array]:
        """Forwards over a block."""

        def body(_: Index, n: Index, dW: Noise[Array], state: State[Array]) -> State[Array]:
            return self.solve.step(n, state, self.theta, dW)

        return self._loop(block, self._draw(block), body, state)

    def reverse(self, block: Index, state: State[Array], bars: Bars, cotangents: Observed) -> Bars:
        """Carry (cotangent of the state, ∂L/∂θ so far) back over a block, from the state before it.

        The block is run once more with the state before each step kept. `cotangents` are the observed states'.
        """
        dWs = self._draw(block)

        def forward(
            i: Index, n: Index, dW: Noise[Array], carry: tuple[State[Array], State[Array]]
        ) -> tuple[State[Array], State[Array]]:
            state, kept = carry
            return self.solve.step(n, state, self.theta, dW), put(kept, state, i)

        def backward(i: Index, n: Index, dW: Noise[Array], bars: Bars) -> Bars:
            (y_bar, *rest), theta_bar = bars
            observed, k = self.solve.observation(n + 1)
            y_bar = y_bar + jnp.where(observed, cotangents[k], 0)
            _, vjp = jax.vjp(lambda state, theta: self.solve.step(n, state, theta, dW), at(kept, i), self.theta)
            state_bar, product = vjp((y_bar, *rest))
            return state_bar, add(theta_bar, product)

        _, kept = self._loop(block, dWs, forward, (state, room(state, self.length)))
        return self._loop(block, dWs, backward, bars, reverse=True)

    def _draw(self, block: Index) -> Noise[Array]:
        return self.solve.draw(self.noise, block * self.length, self.length)

    def _loop(
        self,
        block: Index,
        dWs: Noise[Array],
        body: Callable[[Index, Index, Noise[Array], Carry], Carry],
        carry: Carry,
        *,
        reverse: bool = False,
    ) -> Carry:
        """Loop `body(i, n, dW, carry)` over the steps n of a block, i counting them from 0."""
        first = block * self.length
        count = jnp.minimum(self.length, self.solve.steps - first)

        def one_step(j: Index, carry: Carry) -> Carry:
            i = count - 1 - j if reverse else j
            return body(i, first + i, at(dWs, i), carry)

        return jax.lax.fori_loop(0, count, one_step, carry)


def room(state: PyTree, count: int) -> PyTree:
    """Zeros for so many states."""
    return jax.tree.map(lambda x: jnp.zeros((count, *x.shape), x.dtype), state)


def at(tree: PyTree, i: Index) -> PyTree:
    """The i-th of the states, or whatever has a leading axis."""
    return jax.tree.map(lambda x: x[i], tree)


def put(tree: PyTree, value: PyTree, i: Index) -> PyTree:
    """With the i-th state replaced."""
    return jax.tree.map(lambda x, v: jax.lax.dynamic_update_index_in_dim(x, v, i, 0), tree, value)
