"""The times at which an ODE must be stepped so that its solution and its sensitivities are accurate."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.integrate import DOP853

from harness.arrays import Scalar, Theta
from harness.case import Case
from harness.grid import Grid
from harness.initial import initial_values
from harness.problem import AbstractProblem
from harness.random import Normals
from harness.reference.grid_solve import FineGrid

MOST_STEPS = 2**17
TOLERANCE = 1e-13
"""Of the error of one step, relative to the size of the state and of the sensitivities."""
LONGEST = 16
"""The interval is cut into at least so many steps."""


class NoStepsError(RuntimeError):
    """The steps of an ODE can't be chosen by their errors. The message says why."""


def adaptive_grid(problem: AbstractProblem, case: Case) -> FineGrid:
    """The steps that scipy's DOP853 accepts for the solution together with two directional sensitivities.

    One is the derivative of the state in a random direction of θ, the other in a random direction of y0:

        y' = f,   u' = (∂f/∂y) u + (∂f/∂θ) r_θ, u(t0) = 0,   v' = (∂f/∂y) v, v(t0) = r_y0.

    A controller that saw y alone would take steps of any length where y stands still, at an equilibrium say, whatever
    its sensitivities do. A step whose error in a random direction is small has, but for an unlucky direction, a small
    error in all of them. Every observation is the end of a step. Raises NoStepsError where it takes more than
    `MOST_STEPS` steps, or where the solution isn't finite.
    """
    y0, theta = initial_values(problem, case.batch, case.seed)
    normals = Normals(case.seed, 3)
    size = typical_size(*theta.values())
    directions = {name: size * normals(*np.shape(value)) for name, value in theta.items()}
    start = np.stack([y0, np.zeros_like(y0), typical_size(y0) * normals(*y0.shape)])
    parameters, directions = jax.tree.map(jnp.asarray, (theta, directions))

    def field(t: float, state: np.ndarray) -> np.ndarray:
        return _with_sensitivities(problem, t, state, parameters, directions)

    ends = Grid.of_case(problem, case).observed_times()
    return accepted_grid(field, problem, ends, start, TOLERANCE)


@functools.partial(jax.jit, static_argnums=0)
def _with_sensitivities(
    problem: AbstractProblem,
    t: Scalar,
    state: Float[Array, "3 batch dim"],
    theta: Theta[Array],
    directions: Theta[Array],
) -> Float[Array, "3 batch dim"]:
    y, u, v = state

    def drift(y: Float[Array, "batch dim"], theta: Theta[Array]) -> Float[Array, "batch dim"]:
        return problem.drift(jnp, t, y, theta)

    f, u_dot = jax.jvp(drift, (y, theta), (u, directions))
    _, v_dot = jax.jvp(lambda y: drift(y, theta), (y,), (v,))
    return jnp.stack([f, u_dot, v_dot])


def typical_size(*arrays: np.ndarray) -> float:
    """The root of the mean square of all entries; 1 where there is nothing, or nothing but zeros."""
    entries = np.concatenate([np.ravel(array) for array in arrays] or [np.zeros(0)])
    return float(np.sqrt(np.mean(entries**2))) or 1.0 if entries.size else 1.0


def accepted_grid(
    field: Callable[[float, np.ndarray], np.ndarray],
    problem: AbstractProblem,
    ends: np.ndarray,
    start: np.ndarray,
    tolerance: float,
    longest: int = LONGEST,
) -> FineGrid:
    """The steps of `accepted_steps`. Each of `ends` is the end of a step, and is observed. Raises NoStepsError."""
    times, places = [problem.t0], []
    for t, _, observed in accepted_steps(field, problem, ends, start, tolerance, longest):
        times.append(t)
        if observed:
            places.append(len(times) - 1)
    return FineGrid(np.array(times), np.array(places))


def accepted_steps(
    field: Callable[[float, np.ndarray], np.ndarray],
    problem: AbstractProblem,
    ends: np.ndarray,
    start: np.ndarray,
    tolerance: float,
    longest: int = LONGEST,
) -> Iterator[tuple[float, np.ndarray, bool]]:
    """scipy's DOP853 from t0 to the last of `ends`: (time, state, whether it is one of these) after every step.

    `field` takes and gives arrays of the shape of `start`. The tolerance is relative to each entry, or to the typical
    size of `start` where an entry is smaller. The interval is cut into at least `longest` steps. Raises NoStepsError.
    """
    shape = start.shape
    most = (problem.t1 - problem.t0) / longest
    atol = tolerance * typical_size(start)

    def flat(t: float, state: np.ndarray) -> np.ndarray:
        return np.asarray(field(t, state.reshape(shape))).ravel()

    state, taken, step = start.ravel(), 0, None
    for begin, end in itertools.pairwise([problem.t0, *ends]):
        first = None if step is None else min(step, end - begin)
        solver = DOP853(flat, begin, state, end, most, tolerance, atol, first_step=first)
        while solver.status == "running":
            message = solver.step()
            taken += 1
            if solver.status == "failed" or not np.isfinite(solver.y).all():
                raise NoStepsError(f"the ODE can't be solved beyond t = {solver.t:.6g}: {message or 'not finite'}")
            if taken > MOST_STEPS:
                raise NoStepsError(f"the reference needs more than {MOST_STEPS} steps at tolerance {tolerance:g}")
            yield solver.t, solver.y.reshape(shape), solver.status == "finished"
        state, step = solver.y, solver.h_abs
