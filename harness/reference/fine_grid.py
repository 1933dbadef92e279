"""The gradient of an SDE on a much finer grid of the same Brownian path."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.initial import initial_values
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme
from harness.schemes.heun import Heun
from harness.schemes.slowrk import SlowRK
from harness.terms import Terms

CHUNK = 256
"""Steps of the fine grid that are held at a time."""


# One instance each, since a compiled chunk is known by its scheme.
_SLOWRK, _HEUN = SlowRK(), Heun()


def strongest(problem: AbstractProblem) -> AbstractScheme:
    """Of the Stratonovich form: order 1.5 through the space–time Lévy area where noise commutes, else Heun's ½."""
    return _SLOWRK if problem.commutative else _HEUN


@dataclass(frozen=True)
class _Chunk:
    """Some steps of the fine grid as one differentiable function; hashable, and told the step, so that one trace
    serves every grid."""

    problem: AbstractProblem
    scheme: AbstractScheme

    def __call__(self, y: Any, theta: Any, t: Any, dt: Any, noise: Any, count: int) -> Any:
        """The state after `count` steps from time t. Each step is recomputed in its gradient, not kept."""
        terms = Terms(jnp, self.problem, theta, stratonovich=True)

        @jax.checkpoint
        def step(y: Any, inputs: Any) -> tuple[Any, None]:
            n, noise = inputs
            (y,) = self.scheme.step(terms, t + n * dt, dt, (y,), noise)
            return y, None

        return jax.lax.scan(step, y, (jnp.arange(count), noise))[0]


@functools.partial(jax.jit, static_argnums=(0, 6))
def _forward(chunk: _Chunk, y: Any, theta: Any, t: Any, dt: Any, noise: Any, count: int) -> Any:
    return chunk(y, theta, t, dt, noise, count)


@functools.partial(jax.jit, static_argnums=(0, 6))
def _backward(chunk: _Chunk, y: Any, theta: Any, t: Any, dt: Any, noise: Any, count: int, y_bar: Any) -> Any:
    _, vjp = jax.vjp(lambda y, theta: chunk(y, theta, t, dt, noise, count), y, theta)
    return vjp(y_bar)


def fine_grid(problem: AbstractProblem, case: Case, path: SharedPath, steps: int) -> GradientArrays:
    """The gradient of the strongest scheme's solve in so many steps. Memory is that of a chunk of steps.

    Only the state at the start of every chunk is kept; the path is made again for the backward sweep.
    """
    y0, theta = initial_values(problem, case.batch, case.seed)
    stride = steps // case.observations
    count = next(n for n in range(min(CHUNK, stride), 0, -1) if stride % n == 0)
    dt = (problem.t1 - problem.t0) / steps
    chunk = _Chunk(problem, strongest(problem))
    parameters = jax.tree.map(jnp.asarray, theta)

    def arguments(start: int) -> tuple[Any, Any]:
        W, H = (jnp.asarray(x) for x in path.increments(steps, start, start + count))
        return problem.t0 + start * dt, (W, H) if chunk.scheme.needs_levy_area else W

    y = jnp.asarray(y0)
    starts, ys = [], []
    for start in range(0, steps, count):
        starts.append(y)
        t, noise = arguments(start)
        # Waited for: what is dispatched ahead would hold the noise of many chunks.
        y = jax.block_until_ready(_forward(chunk, y, parameters, t, dt, noise, count))
        if (start + count) % stride == 0:
            ys.append(y)
    loss, cotangents = jax.value_and_grad(functools.partial(problem.loss, jnp))(jnp.stack(ys))
    y_bar, theta_bar = jnp.zeros_like(y), jax.tree.map(jnp.zeros_like, parameters)
    for start in reversed(range(0, steps, count)):
        if (start + count) % stride == 0:
            y_bar = y_bar + cotangents[(start + count) // stride - 1]
        t, noise = arguments(start)
        y_bar, product = jax.block_until_ready(_backward(chunk, starts.pop(), parameters, t, dt, noise, count, y_bar))
        theta_bar = jax.tree.map(jnp.add, theta_bar, product)
    return GradientArrays.of(loss, theta_bar, y_bar)
