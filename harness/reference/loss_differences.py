"""Differences of an ODE's loss, to which its gradient must agree: no derivative takes part."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from harness.arrays import Scalar, Theta
from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.grid import Grid
from harness.initial import initial_values
from harness.problem import AbstractProblem
from harness.random import Normals
from harness.reference.adaptive_grid import accepted_steps, typical_size

TOLERANCE = 1e-12
"""Of one step of the solves, relative."""
EPSILON = 2.0**-13
"""By what θ and y0 are changed, relative to their size."""
CERTAIN = 10.0
"""A disagreement counts from so many times the uncertainty of the differences."""
DIRECTIONS = 3
"""Random directions of θ, and as many of y0."""
COVERING = 3.0
"""A bar is so many times the root mean square of what the directions show."""


@dataclass(frozen=True)
class LossDifferences:
    """Derivatives of the loss in random directions of θ and of y0, each with its uncertainty.

    `directions_theta` is (`DIRECTIONS`, entries of θ), normal with the standard deviation `size_theta`; so for y0.
    """

    directions_theta: np.ndarray
    directions_y0: np.ndarray
    size_theta: float
    size_y0: float
    derivatives_theta: np.ndarray
    derivatives_y0: np.ndarray
    uncertainties_theta: np.ndarray
    uncertainties_y0: np.ndarray

    def misses(self, gradient: GradientArrays) -> dict[str, float]:
        """By how much the gradients for θ and for y0 may miss the derivatives, relative L2; 0 where they can't tell.

        An error e changes a derivative by a normal number with the standard deviation size · |e|. Three times the root
        mean square of three of them covers size · |e| in 95% of cases.
        """
        return {part: self._miss(part, getattr(gradient, part)) for part in ("theta", "y0")}

    def _miss(self, part: str, gradient: np.ndarray) -> float:
        found: dict[str, np.ndarray] = {
            name: getattr(self, f"{name}_{part}") for name in ("directions", "derivatives", "uncertainties")
        }
        distances = np.abs(found["derivatives"] - found["directions"] @ gradient)
        if not (distances > CERTAIN * found["uncertainties"]).any():
            return 0.0
        norm = getattr(self, f"size_{part}") * float(np.linalg.norm(gradient))
        return COVERING * float(np.sqrt(np.mean(distances**2))) / norm if norm else float("inf")


def loss_differences(problem: AbstractProblem, case: Case) -> LossDifferences:
    """Central differences at ε and 2ε, extrapolated, of solves whose steps adapt to each change.

    What automatic differentiation leaves out shows here: it takes the moment at which a right-hand side jumps that
    depends on the state for a constant, as it does whatever is behind a `stop_gradient`.
    """
    y0, theta = initial_values(problem, case.batch, case.seed)
    normals = Normals(case.seed, 4)
    names = sorted(theta)
    flat = np.concatenate([np.ravel(theta[name]) for name in names] or [np.zeros(0)])
    size_theta, size_y0 = typical_size(flat), typical_size(y0)
    r_theta = size_theta * normals(DIRECTIONS, flat.size)
    r_y0 = size_y0 * normals(DIRECTIONS, y0.size)
    changes = EPSILON * np.array([1, -1, 2, -2])
    moved = flat + (changes[:, None] * r_theta[:, None]).reshape(-1, flat.size)
    thetas = np.concatenate([moved, np.tile(flat, (len(moved), 1))])
    moved = y0.ravel() + (changes[:, None] * r_y0[:, None]).reshape(-1, y0.size)
    starts = np.concatenate([np.tile(y0.ravel(), (len(moved), 1)), moved]).reshape(-1, *y0.shape)
    parameters, place = {}, 0
    for name in names:
        shape, count = np.shape(theta[name]), np.size(theta[name])
        parameters[name] = jnp.asarray(thetas[:, place : place + count].reshape(-1, *shape))
        place += count

    def field(t: float, state: np.ndarray) -> np.ndarray:
        return _field(problem, t, state, parameters)

    ends = Grid.of_case(problem, case).observed_times()
    steps = accepted_steps(field, problem, ends, starts, TOLERANCE)
    seen = np.stack([state for _, state, observed in steps if observed], axis=1)
    losses = np.asarray(_losses(problem, seen)).reshape(2, DIRECTIONS, 4)
    (d_theta, u_theta), (d_y0, u_y0) = (_derivatives(part) for part in losses)
    return LossDifferences(r_theta, r_y0, size_theta, size_y0, d_theta, d_y0, u_theta, u_y0)


def _derivatives(losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From losses at +ε, −ε, +2ε, −2ε, (…, 4): Richardson's values, and their uncertainty, truncation and rounding."""
    narrow = (losses[:, 0] - losses[:, 1]) / (2 * EPSILON)
    wide = (losses[:, 2] - losses[:, 3]) / (4 * EPSILON)
    rounding = 10 * TOLERANCE * np.abs(losses).max(axis=1) / EPSILON
    return (4 * narrow - wide) / 3, abs(narrow - wide) / 3 + rounding


@functools.partial(jax.jit, static_argnums=0)
def _field(
    problem: AbstractProblem, t: Scalar, states: Float[Array, "changes batch dim"], thetas: Theta[Array]
) -> Float[Array, "changes batch dim"]:
    return jax.vmap(lambda y, theta: problem.drift(jnp, t, y, theta))(states, thetas)


@functools.partial(jax.jit, static_argnums=0)
def _losses(
    problem: AbstractProblem, solutions: Float[Array, "changes observations batch dim"]
) -> Float[Array, " changes"]:
    return jax.vmap(functools.partial(problem.loss, jnp))(solutions)
