"""What the native JAX methods share: a case's times, f and g, noise, and the scan over its steps."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from harness.brownian.jax_noise import chunk_size, draw
from harness.case import Case
from harness.clock import Clock
from harness.grid import Grid
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme, State
from harness.terms import Terms


def _as_it_is(theta: Any) -> Any:
    return theta


@dataclass(frozen=True)
class JaxSolve:
    """A case, hashable, to close a traced function over.

    `complete` makes the parameters of f and g of what the methods take for θ. They are the same, but for a θ with
    leaves that have no derivative: see `harness.methods.jax._sweep`.
    """

    problem: AbstractProblem
    scheme: AbstractScheme
    case: Case
    complete: Callable[[Any], Any] = _as_it_is

    @property
    def grid(self) -> Grid:
        """The steps, and which of their ends are observed."""
        return Grid.of_case(self.problem, self.case)

    @property
    def steps(self) -> int:
        """N."""
        return self.case.steps

    @property
    def count(self) -> int:
        """The number of observations."""
        return self.grid.count

    def dt(self, n: Any) -> Any:
        """The length of step n: a plain number where it is that of every step."""
        step = self.grid.equal_step
        return jnp.asarray(self.grid.lengths, self.case.dtype)[n] if step is None else step

    def time(self, n: Any) -> Any:
        """The time of grid point n, in the case's precision."""
        return jnp.asarray(Clock(self.grid, self.case.dtype).times, self.case.dtype)[n]

    def observation(self, n: Any) -> tuple[Any, Any]:
        """Whether grid point n, at least 1, is observed, and the number of the last observation up to it."""
        stride = self.grid.stride
        if stride is not None:
            return n % stride == 0, n // stride - 1
        last = jnp.asarray(np.searchsorted(self.grid.observed, np.arange(self.steps + 1), side="right") - 1)[n]
        return jnp.asarray(np.isin(np.arange(self.steps + 1), self.grid.observed))[n], last

    def terms(self, theta: Any, *, stratonovich: bool = False) -> Terms:
        """f and g with these parameters."""
        return Terms(jnp, self.problem, self.complete(theta), stratonovich, Clock.of(self.problem, self.case))

    def init(self, y0: Any, theta: Any) -> State:
        """The scheme's state at t0."""
        return self.scheme.init(self.terms(theta), self.time(0), y0)

    def step(self, n: Any, state: State, theta: Any, dW: Any) -> State:
        """The state after step n."""
        return self.scheme.step(self.terms(theta), self.time(n), self.dt(n), state, dW)

    def loss_cotangents(self, ys: Any) -> tuple[Any, Any]:
        """The loss of the observed states, (observations, batch, dim), and its gradient."""
        return jax.value_and_grad(functools.partial(self.problem.loss, jnp))(ys)

    def draw(self, noise: Any, start: Any, count: int) -> Any:
        """The noise of `count` steps: dW, or (dW, H) where the scheme needs it; None for an ODE."""
        return draw(
            noise,
            start,
            count,
            self.case,
            self.problem.noise_dim,
            self.grid,
            levy_area=self.scheme.needs_levy_area,
        )

    def scan(
        self,
        body: Callable[[Any, Any, Any, Any], tuple[Any, Any]],
        carry: Any,
        noise: Any,
        *,
        start: Any,
        count: int,
        inputs: Any = None,
        reverse: bool = False,
        lag: int = 0,
    ) -> tuple[Any, Any]:
        """Scan `body(carry, n, dW, input) -> carry, output` over the steps start … start + count − 1.

        The noise is drawn a chunk of steps at a time, so that at most a chunk is held. Outputs, and `inputs` with
        them, have two leading axes: chunk, and step within it. dW is that of step n − `lag`: before step 0, one that
        means nothing.
        """
        size = chunk_size(count, self.case.batch * self.problem.noise_dim)

        def one_step(carry: Any, inputs: Any) -> tuple[Any, Any]:
            n, dW, x = inputs
            return body(carry, n, dW, x)

        def one_chunk(carry: Any, inputs: Any) -> tuple[Any, Any]:
            first, x = inputs
            dWs = self.draw(noise, first - lag, size)
            return jax.lax.scan(one_step, carry, (first + jnp.arange(size), dWs, x), reverse=reverse)

        firsts = start + size * jnp.arange(count // size)
        return jax.lax.scan(one_chunk, carry, (firsts, inputs), reverse=reverse)

    def forwards(
        self, step: Callable[[Any, Any, Any], tuple[Any, Any]], state: Any, noise: Any
    ) -> tuple[Any, Any, Any]:
        """`step(state, n, dW) -> state, kept` over all steps: the final state, the observed ones, and what is kept.

        The observed states are (observations, batch, dim), the first array of each state. What is kept has leading axes
        that `backwards` understands.
        """
        stride = self.grid.stride

        def body(state: Any, n: Any, dW: Any, _: Any) -> tuple[Any, Any]:
            return step(state, n, dW)

        if stride is not None:

            def to_observation(state: Any, k: Any) -> tuple[Any, Any]:
                state, kept = self.scan(body, state, noise, start=k * stride, count=stride)
                return state, (state[0], kept)

            state, (ys, kept) = jax.lax.scan(to_observation, state, jnp.arange(self.count))
            return state, ys, kept

        def and_observe(carry: Any, n: Any, dW: Any, _: Any) -> tuple[Any, Any]:
            state, ys = carry
            state, kept = step(state, n, dW)
            observed, k = self.observation(n + 1)
            return (state, ys.at[jnp.where(observed, k, self.count)].set(state[0], mode="drop")), kept

        room = jnp.zeros((self.count, *state[0].shape), state[0].dtype)
        (state, ys), kept = self.scan(and_observe, (state, room), noise, start=0, count=self.steps)
        return state, ys, kept

    def backwards(
        self,
        back: Callable[[Any, Any, Any, Any], Any],
        carry: Any,
        noise: Any,
        *,
        meet: Callable[[Any, Any], Any],
        seen: Any,
        kept: Any = None,
    ) -> Any:
        """`back(carry, n, dW, kept) -> carry` over all steps, the last one first.

        At each observation, before the step that ends there is gone over, `meet(carry, seen) -> carry`; `seen` is a
        tree of what the observations have, each with a leading axis (observations, …).
        """
        stride = self.grid.stride

        def body(carry: Any, n: Any, dW: Any, kept: Any) -> tuple[Any, None]:
            return back(carry, n, dW, kept), None

        if stride is not None:

            def from_observation(carry: Any, inputs: Any) -> tuple[Any, None]:
                k, here, kept = inputs
                carry, start = meet(carry, here), k * stride
                return self.scan(body, carry, noise, start=start, count=stride, inputs=kept, reverse=True)[0], None

            return jax.lax.scan(from_observation, carry, (jnp.arange(self.count), seen, kept), reverse=True)[0]

        def met(carry: Any, n: Any, dW: Any, kept: Any) -> tuple[Any, None]:
            observed, k = self.observation(n + 1)
            after = meet(carry, jax.tree.map(lambda x: x[k], seen))
            carry = jax.tree.map(lambda x, y: y if x is y else jnp.where(observed, x, y), after, carry)
            return back(carry, n, dW, kept), None

        return self.scan(met, carry, noise, start=0, count=self.steps, inputs=kept, reverse=True)[0]

    def forward(self, y0: Any, theta: Any, noise: Any) -> tuple[State, Any]:
        """The final state and the observed ones, (observations, batch, dim), nothing else kept."""

        def step(state: State, n: Any, dW: Any) -> tuple[State, None]:
            return self.step(n, state, theta, dW), None

        state, ys, _ = self.forwards(step, self.init(y0, theta), noise)
        return state, ys


def add(x: Any, y: Any) -> Any:
    """The sum of two trees of arrays."""
    return jax.tree.map(jnp.add, x, y)


def zeros(x: Any) -> Any:
    """A tree of zeros of the same shapes."""
    return jax.tree.map(jnp.zeros_like, x)
