"""The gradient of a discrete solve on the steps that a method reports."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from harness.arrays import Scalar, Theta
from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.grid import Grid
from harness.initial import initial_values
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme, Noise, State
from harness.stepping.reported import with_exact_ends
from harness.terms import Terms

Values = tuple[Float[Array, "batch dim"], Theta[Array]]
"""y0 and θ."""
Steps = tuple[Float[Array, " steps"], Float[Array, " steps"], Noise[Array]]
"""The start, the length and the noise of every step."""


def on_steps(
    problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None, times: np.ndarray
) -> GradientArrays:
    """JAX's derivative of the scheme's steps between these times, (steps + 1,), in float64. `path` is None for an ODE.

    Raises ValueError where the times are not those of a solve of the case, or too near to each other for the path.
    """
    times, observed = with_exact_ends(times, Grid.of_case(problem, case))
    y0, theta = initial_values(problem, case.batch, case.seed)
    noise = None
    if path is not None:
        W, H = path.between(times)
        noise = (W, H) if scheme.needs_levy_area else W
    steps = (times[:-1], np.diff(times), noise)
    count = len(times) - 1
    missing = 2 ** (count - 1).bit_length() - count  # arrays of few lengths, so that few programs are compiled
    filled = jax.tree.map(lambda x: jnp.asarray(np.concatenate([x, np.repeat(x[-1:], missing, axis=0)])), steps)
    taken = jnp.arange(count + missing) < count
    arguments = jax.tree.map(jnp.asarray, (y0, theta)), filled, taken, jnp.asarray(observed)
    loss, (y0_bar, theta_bar) = _gradient(_Solve(problem, scheme), *arguments)
    return GradientArrays.of(loss, theta_bar, y0_bar)


@dataclass(frozen=True)
class _Solve:
    """A loss as a function of y0 and θ. It is hashable, so that one trace serves all times."""

    problem: AbstractProblem
    scheme: AbstractScheme

    def __call__(
        self, values: Values, steps: Steps, taken: Bool[Array, " steps"], observed: Int[Array, " observations"]
    ) -> Float[Array, ""]:
        """The loss. Steps that are not `taken` leave the state as it is."""
        y0, theta = values
        terms = Terms(jnp, self.problem, theta)

        @jax.checkpoint
        def step(
            state: State[Array], inputs: tuple[tuple[Scalar, Scalar, Noise[Array]], Bool[Array, ""]]
        ) -> tuple[State[Array], Float[Array, "batch dim"]]:
            (t, dt, noise), taken = inputs
            after = self.scheme.step(terms, t, dt, state, noise)
            state = jax.tree.map(lambda x, y: jnp.where(taken, x, y), after, state)
            return state, state[0]

        _, ys = jax.lax.scan(step, self.scheme.init(terms, steps[0][0], y0), (steps, taken))
        return self.problem.loss(jnp, ys[observed - 1])


@functools.partial(jax.jit, static_argnums=0)
def _gradient(
    solve: _Solve,
    values: Values,
    steps: Steps,
    taken: Bool[Array, " steps"],
    observed: Int[Array, " observations"],
) -> tuple[Float[Array, ""], Values]:
    return jax.value_and_grad(solve)(values, steps, taken, observed)
