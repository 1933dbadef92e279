"""The gradient of a discrete solve on a given grid of times, by backpropagation in chunks of steps."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from harness.arrays import Scalar, Theta
from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.initial import initial_values
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme, Noise
from harness.terms import Terms

CHUNK = 256
"""Steps that are held at a time."""


SAME = 1e-9
"""An observation is a point of a grid that lies so near to it, relative to the grid's step."""


@dataclass(frozen=True)
class FineGrid:
    """Increasing `times`, (steps + 1,), and the places among them that are observed, (observations,)."""

    times: np.ndarray
    observed: np.ndarray

    @classmethod
    def equal(cls, problem: AbstractProblem, steps: int, ends: np.ndarray) -> FineGrid:
        """Steps of one length, each cut where an observation is inside of it. `ends` are the observations' times."""
        times = problem.t0 + (problem.t1 - problem.t0) * np.arange(steps + 1) / steps
        dt = (problem.t1 - problem.t0) / steps
        nearest = np.clip(np.round((ends - problem.t0) / dt).astype(int), 0, steps)
        between = ends[abs(times[nearest] - ends) > SAME * dt]
        times = np.sort(np.append(times, between))
        return cls(times, np.searchsorted(times, ends - SAME * dt))

    @property
    def steps(self) -> int:
        """The number of steps."""
        return len(self.times) - 1

    def halved(self) -> FineGrid:
        """Every step cut in two."""
        middles = (self.times[:-1] + self.times[1:]) / 2
        times = np.empty(2 * self.steps + 1)
        times[0::2], times[1::2] = self.times, middles
        return FineGrid(times, 2 * self.observed)


@dataclass(frozen=True)
class _Chunk:
    """Some steps as one differentiable function. It is hashable, so that one trace serves every grid."""

    problem: AbstractProblem
    scheme: AbstractScheme

    def __call__(
        self,
        y: Float[Array, "batch dim"],
        theta: Theta[Array],
        t: Float[Array, " steps"],
        dt: Float[Array, " steps"],
        noise: Noise[Array],
    ) -> tuple[Float[Array, "batch dim"], Float[Array, "steps batch dim"]]:
        """The state after the steps, and the states after each. A step is recomputed in its gradient, not kept."""
        terms = Terms(jnp, self.problem, theta, stratonovich=True)

        @jax.checkpoint
        def step(
            y: Float[Array, "batch dim"], inputs: tuple[Scalar, Scalar, Noise[Array]]
        ) -> tuple[Float[Array, "batch dim"], Float[Array, "batch dim"]]:
            t, dt, noise = inputs
            (y,) = self.scheme.step(terms, t, dt, (y,), noise)
            return y, y

        return jax.lax.scan(step, y, (t, dt, noise))


@functools.partial(jax.jit, static_argnums=0)
def _forward(
    chunk: _Chunk,
    y: Float[Array, "batch dim"],
    theta: Theta[Array],
    t: Float[Array, " steps"],
    dt: Float[Array, " steps"],
    noise: Noise[Array],
) -> tuple[Float[Array, "batch dim"], Float[Array, "steps batch dim"]]:
    return chunk(y, theta, t, dt, noise)


@functools.partial(jax.jit, static_argnums=0)
def _backward(
    chunk: _Chunk,
    y: Float[Array, "batch dim"],
    theta: Theta[Array],
    t: Float[Array, " steps"],
    dt: Float[Array, " steps"],
    noise: Noise[Array],
    y_bar: Float[Array, "batch dim"],
    ys_bar: Float[Array, "steps batch dim"],
) -> tuple[Float[Array, "batch dim"], Theta[Array]]:
    _, vjp = jax.vjp(lambda y, theta: chunk(y, theta, t, dt, noise), y, theta)
    return vjp((y_bar, ys_bar))


@functools.partial(jax.jit, static_argnums=0)
def _loss_gradient(
    problem: AbstractProblem, ys: Float[Array, "observations batch dim"]
) -> tuple[Float[Array, ""], Float[Array, "observations batch dim"]]:
    return jax.value_and_grad(functools.partial(problem.loss, jnp))(ys)


def grid_solve(
    problem: AbstractProblem,
    case: Case,
    scheme: AbstractScheme,
    grid: FineGrid,
    noise: Callable[[int, int], Noise[np.ndarray]] | None = None,
) -> GradientArrays:
    """The gradient of the scheme's solve on the grid, float64. Memory is that of a chunk of steps.

    `noise(start, stop)` is what drives these steps; None for an ODE. Only the state at the start of every chunk is
    kept; the noise is made again for the backward sweep. The last chunk is filled up with steps of length zero, so that
    grids of all sizes run the same compiled code.
    """
    y0, theta = initial_values(problem, case.batch, case.seed)
    chunk = _Chunk(problem, scheme)
    parameters = jax.tree.map(jnp.asarray, theta)
    times = np.append(grid.times, np.full(-grid.steps % CHUNK, grid.times[-1]))

    def arguments(start: int) -> tuple[Float[Array, " steps"], Float[Array, " steps"], Noise[Array]]:
        here = times[start : start + CHUNK + 1]
        made = None
        if noise is not None:
            stop = min(start + CHUNK, grid.steps)
            made = jax.tree.map(lambda x: jnp.asarray(_filled(x, CHUNK)), noise(start, stop))
        return jnp.asarray(here[:-1]), jnp.asarray(np.diff(here)), made

    def seen_in(start: int) -> np.ndarray:
        return np.flatnonzero((grid.observed > start) & (grid.observed <= start + CHUNK))

    y = jnp.asarray(y0)
    starts, seen = [], []
    for start in range(0, grid.steps, CHUNK):
        starts.append(y)
        # Waited for: what is dispatched ahead would hold the noise of many chunks.
        y, ys = jax.block_until_ready(_forward(chunk, y, parameters, *arguments(start)))
        seen.append(np.asarray(ys)[grid.observed[seen_in(start)] - start - 1])
    observed = np.concatenate(seen)
    loss, cotangents = _loss_gradient(problem, observed)
    y_bar, theta_bar = jnp.zeros_like(y), jax.tree.map(jnp.zeros_like, parameters)
    for start in reversed(range(0, grid.steps, CHUNK)):
        here = seen_in(start)
        ys_bar = np.zeros((CHUNK, *y.shape))
        ys_bar[grid.observed[here] - start - 1] = np.asarray(cotangents)[here]
        found = _backward(chunk, starts.pop(), parameters, *arguments(start), y_bar, jnp.asarray(ys_bar))
        y_bar, product = jax.block_until_ready(found)
        theta_bar = jax.tree.map(jnp.add, theta_bar, product)
    return GradientArrays.of(loss, theta_bar, y_bar, largest=float(np.abs(observed).max()))


def _filled(increments: np.ndarray, size: int) -> np.ndarray:
    """With so many rows, zeros where they run out."""
    missing = size - len(increments)
    return np.concatenate([increments, np.zeros((missing, *increments.shape[1:]))]) if missing else increments
