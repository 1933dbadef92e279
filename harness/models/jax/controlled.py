"""A solve of an ODE at given steps, and the choice of these by the errors of the solution and of a sensitivity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from harness.brownian.jax_noise import NoiseArgument
from harness.case import Case
from harness.jax._equation import Equation, Theta
from harness.models.controlled import controlled_grid, directions
from harness.models.facts import ModelFacts
from harness.models.jax.call import Call, Schedule
from harness.models.jax.native import NativeSolver, Posed
from harness.models.jax.samples import over_samples, zero_states
from harness.models.jax.solve import AbstractSolver
from harness.reference.adaptive_grid import NoStepsError
from harness.reference.grid_solve import FineGrid


@dataclass(frozen=True)
class AtTimes(NativeSolver):
    """A solve of an ODE whose steps end at `times`, increasing, t0 first. `observed` are places among them."""

    times: tuple[float, ...] = ()
    observed: tuple[int, ...] = ()

    def solve_batch(self, call: Call, noise: NoiseArgument) -> PyTree:
        """The states at the times that the call asks for."""
        schedule = Schedule.of(np.asarray(self.times, np.float64))
        states = super().solve_batch(replace(call.increasing(), schedule=schedule), noise)
        picked = np.array([0, *self.observed])
        return jax.tree.map(lambda x: x[picked], states)


class Posing:
    """The equation of the last call, with its arrays and its initial state."""

    def __init__(self) -> None:
        self.equation: Equation | None = None
        self.dtypes: list[np.dtype] = []
        """Of the leaves of θ: a callback is given float32 where that is JAX's own precision."""
        self.arrays: tuple[Theta, Float[Array, "batch dim"]] | None = None

    def see(self, theta: Theta, y0: Float[Array, "batch dim"]) -> None:
        """It is called while the compiled program runs."""
        self.arrays = theta, y0


@dataclass(frozen=True)
class Poses(AbstractSolver):
    """It tells `posing` what `solver` is to solve, and solves nothing: states are zeros."""

    solver: NativeSolver
    posing: Posing = field(compare=False)

    def solve(self, call: Call, noise: NoiseArgument) -> PyTree:
        """Zeros of the right shapes."""
        del noise

        def posed(batch: Call) -> PyTree:
            found = Posed.of(batch, self.solver.found)
            self.posing.equation = found.equation
            self.posing.dtypes = [x.dtype for x in jax.tree.leaves(found.theta)]
            jax.debug.callback(self.posing.see, found.theta, found.y0)
            return zero_states(batch, batch.y0)

        return over_samples(self.solver.prepared(call), posed)


def chosen(posing: Posing, facts: ModelFacts, case: Case) -> FineGrid:
    """Controlled steps for what was posed, in float64. Raises NoStepsError where steps can't be controlled."""
    jax.effects_barrier()
    assert posing.equation is not None  # the loss has one solve
    assert posing.arrays is not None
    equation, (theta, y0) = posing.equation, posing.arrays
    leaves, structure = jax.tree.flatten(theta)
    leaves = [jnp.asarray(x, dtype) for x, dtype in zip(leaves, posing.dtypes, strict=True)]
    real = [jnp.issubdtype(x.dtype, jnp.floating) for x in leaves]
    read = [x for x, own in zip(leaves, real, strict=True) if own]
    others = [x for x, own in zip(leaves, real, strict=True) if not own]

    @jax.jit
    def with_sensitivity(
        t: Float[Array, ""], state: Float[Array, "2 batch dim"], read: Sequence[Array], along: Sequence[Array]
    ) -> Float[Array, "2 batch dim"]:
        def drift(y: Float[Array, "batch dim"], read: Sequence[Array]) -> Float[Array, "batch dim"]:
            given, kept = iter(read), iter(others)
            theta = jax.tree.unflatten(structure, [next(given if own else kept) for own in real])
            return equation.drift(jnp, t, y, theta)

        return jnp.stack(jax.jvp(drift, (state[0], read), (state[1], along)))

    random = directions([np.asarray(x) for x in read], case.seed)
    along = [jnp.asarray(d, x.dtype) for d, x in zip(random, read, strict=True)]

    def rates(t: float, state: np.ndarray) -> np.ndarray:
        time = jnp.asarray(np.asarray(t, np.float64), "float64")  # JAX may round a scalar to float32 on the way
        return np.asarray(with_sensitivity(time, jnp.asarray(state, "float64"), read, along))

    try:
        return controlled_grid(rates, facts, case, np.asarray(y0, np.float64))
    except TypeError as error:  # JAX has no type of its own for a derivative of f's own without forward mode
        if "forward-mode" not in str(error):
            raise
        raise NoStepsError("f has no forward derivative") from error
