"""What the native JAX methods share: a case's times, f and g, noise, and the scan over its steps."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from harness.brownian.jax_noise import chunk_size, draw
from harness.case import Case
from harness.clock import Clock
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme, State
from harness.terms import Terms


def _as_it_is(theta: Any) -> Any:
    return theta


@dataclass(frozen=True)
class JaxSolve:
    """A case, hashable, to close a traced function over. Every `stride` steps the state is observed.

    `complete` makes the parameters of f and g of what the methods take for θ. They are the same, but for a θ with
    leaves that have no derivative: see `harness.methods.jax._sweep`.
    """

    problem: AbstractProblem
    scheme: AbstractScheme
    case: Case
    complete: Callable[[Any], Any] = _as_it_is

    @property
    def steps(self) -> int:
        """N."""
        return self.case.steps

    @property
    def stride(self) -> int:
        """Steps between observations."""
        return self.case.steps // self.case.observations

    @property
    def dt(self) -> float:
        """The step."""
        return (self.problem.t1 - self.problem.t0) / self.case.steps

    def time(self, n: Any) -> Any:
        """The time of grid point n, in the case's precision."""
        times = Clock(self.problem.t0, self.problem.t1, self.case.steps, self.case.dtype).times
        return jnp.asarray(times, self.case.dtype)[n]

    def terms(self, theta: Any, *, stratonovich: bool = False) -> Terms:
        """f and g with these parameters."""
        return Terms(jnp, self.problem, self.complete(theta), stratonovich, Clock.of(self.problem, self.case))

    def init(self, y0: Any, theta: Any) -> State:
        """The scheme's state at t0."""
        return self.scheme.init(self.terms(theta), self.time(0), y0)

    def step(self, n: Any, state: State, theta: Any, dW: Any) -> State:
        """The state after step n."""
        return self.scheme.step(self.terms(theta), self.time(n), self.dt, state, dW)

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
            self.dt,
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

    def forward(self, y0: Any, theta: Any, noise: Any) -> tuple[State, Any]:
        """The final state and the observed ones, (observations, batch, dim), nothing else kept."""

        def step(state: State, n: Any, dW: Any, _: Any) -> tuple[State, None]:
            return self.step(n, state, theta, dW), None

        def to_observation(state: State, k: Any) -> tuple[State, Any]:
            state, _ = self.scan(step, state, noise, start=k * self.stride, count=self.stride)
            return state, state[0]

        return jax.lax.scan(to_observation, self.init(y0, theta), jnp.arange(self.case.observations))


def add(x: Any, y: Any) -> Any:
    """The sum of two trees of arrays."""
    return jax.tree.map(jnp.add, x, y)


def zeros(x: Any) -> Any:
    """A tree of zeros of the same shapes."""
    return jax.tree.map(jnp.zeros_like, x)
