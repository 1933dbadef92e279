"""A solver whose states are looked at: how large they become tells whether a scheme is stable."""

from __future__ import annotations

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from harness.brownian.jax_noise import NoiseArgument
from harness.models.jax.call import Call
from harness.models.jax.native import NativeSolver
from harness.models.jax.samples import over_samples
from harness.models.jax.solve import AbstractSolver


class Largest:
    """The largest absolute entry of the last solve's states; not a number where one of them isn't."""

    def __init__(self) -> None:
        self._value: float | None = None

    def see(self, value: Float[Array, ""]) -> None:
        """It is called while the compiled program runs."""
        self._value = float(value)

    def read(self) -> float | None:
        """Once all programs that were started have ended."""
        jax.effects_barrier()
        return self._value


@dataclass(frozen=True)
class Watched(AbstractSolver):
    """`solver`, whose compiled programs tell `largest`: the same one for all, since equal solvers share a program."""

    solver: NativeSolver
    largest: Largest = field(compare=False)

    def solve(self, call: Call, noise: NoiseArgument) -> PyTree:
        """As `solver` does."""

        def watched(batch: Call) -> PyTree:
            states = self.solver.solve_batch(batch, noise)
            jax.debug.callback(self.largest.see, jnp.stack([abs(x).max() for x in jax.tree.leaves(states)]).max())
            return states

        return over_samples(self.solver.prepared(call), watched)
