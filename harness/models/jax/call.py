"""What a model asks of `solve`: an SDE or an ODE, its initial state and its times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, PyTree

from harness.errors import ProblemError
from harness.jax._equation import Functions


@dataclass(frozen=True)
class Schedule:
    """The times of a solve, t0 first, increasing or decreasing, each once; and which of them are wanted, in order."""

    times: tuple[float, ...]
    dtype: str
    wanted: tuple[int, ...]

    @classmethod
    def of(cls, times: np.ndarray, wanted: np.ndarray | None = None) -> Schedule:
        """All of them, unless told. Raises ProblemError where they are no sequence."""
        if times.ndim != 1:
            raise ProblemError(f"ts has the shape {times.shape}; needed: a sequence of times, (times,)")
        places = range(len(times)) if wanted is None else wanted
        return cls(tuple(map(float, times)), str(times.dtype), tuple(map(int, places)))

    def array(self) -> np.ndarray:
        """The times, with the precision in which they were given."""
        return np.asarray(self.times, self.dtype)


@dataclass(frozen=True, eq=False)
class Call:
    """dY = f dt + g dW from y0, whose states at the times of `schedule` are wanted.

    `noise` and `calculus` are as in a case, `none` for an ODE. y0 is (batch, dim), with `single` (dim,); of an ODE it
    is any tree of arrays. `depends` are arrays that tell samples apart and that f and g don't read: a key, say. `says`
    is what the diffusion declares: whether its noise commutes. `dt`, `method`, the tolerances and `most_steps` are what
    the model itself asks for: `most_steps` is diffrax's `max_steps`, which decides how many checkpoints it keeps.
    """

    functions: Functions
    y0: PyTree
    args: PyTree
    noise: str
    calculus: str
    schedule: Schedule
    single: bool = False
    depends: tuple[Array, ...] = ()
    says: bool | None = None
    dt: float | None = None
    method: str | None = None
    rtol: float | None = None
    atol: float | None = None
    most_steps: int = 4096

    @property
    def decreasing(self) -> bool:
        """Whether it is solved backwards in time."""
        return self.schedule.times[0] > self.schedule.times[-1]

    def increasing(self) -> Call:
        """The same solve with time −t where times decrease: of −f(−t, y)."""
        if not self.decreasing:
            return self
        if self.noise != "none":
            raise ProblemError("the times of an SDE must increase, those of this one decrease")
        schedule = replace(self.schedule, times=tuple(0.0 - t for t in self.schedule.times))
        return replace(self, functions=Functions(backwards(self.functions.drift)), schedule=schedule)

    def arrays(self) -> list[Array]:
        """All arrays in it, but those that functions close over."""
        functions = (self.functions.drift, self.functions.diffusion, self.functions.both)
        leaves = jax.tree.leaves((functions, self.y0, self.args, self.depends))
        return [x for x in leaves if isinstance(x, jax.Array)]


def backwards(drift: Callable[..., Any]) -> Callable[..., Any]:
    """−f(−t, y)."""

    def reversed_drift(t: Float[Array, ""], y: PyTree, args: PyTree) -> PyTree:
        return jax.tree.map(jnp.negative, drift(-t, y, args))

    return reversed_drift


def concrete(what: str, times: object) -> np.ndarray:
    """Times that are known. Raises ProblemError where they are traced, or no numbers."""
    if any(isinstance(x, Tracer) for x in jax.tree.leaves(times)):
        raise ProblemError(
            f"{what} depends on the parameters, or on what jax.vmap maps over; needed: times that are the same for all"
        )
    try:
        found = np.asarray(times)
    except (TypeError, ValueError):
        found = np.asarray(None)
    if found.dtype.kind not in "fiu":
        raise ProblemError(f"{what} must be numbers; given: {type(times).__name__}")
    return found if found.dtype.kind == "f" else found.astype(np.float64)
