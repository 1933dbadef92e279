"""`solve`, which a model is given: `harness.jax`'s `sdeint` and `odeint`, and `diffrax.diffeqsolve`."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from harness.brownian.jax_noise import NoiseArgument
from harness.case import CALCULI
from harness.errors import ProblemError, shown
from harness.jax._equation import Both, Field, Functions
from harness.jax._integrate import SDE_NOISES
from harness.jax._solve import Times, known
from harness.lazy import lazily
from harness.models.jax.call import Call, Schedule, concrete
from harness.models.jax.samples import samples_of, zero_states

if TYPE_CHECKING:
    from harness.models.jax import terms as _terms
else:
    (_terms,) = lazily("harness.models.jax.terms")


class AbstractSolver(ABC):
    """How the calls of a model are solved: by the method that is measured. Equal ones solve alike."""

    @abstractmethod
    def solve(self, call: Call, noise: NoiseArgument) -> PyTree:
        """The states at all times of the schedule, y0 first: (times, batch, dim), or as y0 is. Traced.

        `noise` is a key, or values of the shared path for the steps of the case. Raises ProblemError.
        """


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Solution:
    """What diffrax's `Solution` holds of a solve: the interval, the times that were asked for, and the states there."""

    t0: Float[Array, ""]
    t1: Float[Array, ""]
    ts: Float[Array, " times"]
    ys: PyTree


class Solve:
    """Solves what a model asks for by the method, the scheme and the steps that are measured.

    So a model calls `solve.diffeqsolve` where it called `diffrax.diffeqsolve`, and `solve.sdeint` where it called
    `harness.jax.sdeint`. Arguments that say how to solve (solver, dt0, adjoint, tolerances) tell `harness try` what to
    measure around, and change nothing in a suite, which says itself how to solve. A Brownian path of the model's own,
    and its key, are not used: the harness gives every method one path. A `solver` of diffrax's decides the calculus of
    an SDE: Itô for Euler and ItoMilstein, else Stratonovich.
    """

    def __init__(self) -> None:
        self.calls = 0
        """Solves since it was last set to 0."""
        self.schedule: Schedule | None = None
        """Of the solve, once it was rehearsed."""
        self._by: tuple[AbstractSolver, NoiseArgument] | None = None

    def __getattr__(self, name: str) -> object:
        """There are three functions alone, whichever method solves."""
        raise AttributeError(
            f"solve has no {name}; allowed: solve.diffeqsolve, solve.sdeint, solve.odeint, for every method"
        )

    @contextmanager
    def by(self, solver: AbstractSolver, noise: NoiseArgument) -> Generator[None, None, None]:
        """Within it solves are done by `solver`. Outside they give zeros: rehearsed, so that the times become known."""
        self._by = solver, noise
        try:
            yield
        finally:
            self._by = None

    def sdeint(
        self,
        drift: Field | None,
        diffusion: Field | None,
        y0: Float[Array, "batch dim"],
        ts: Times,
        args: PyTree = None,
        *,
        noise_type: str,
        sde_type: str = "stratonovich",
        drift_and_diffusion: Both | None = None,
        method: str | None = None,
        scheme: str | None = None,
        steps: int | None = None,
        dt: float | None = None,
        rtol: float = 0.0,
        atol: float = 0.0,
        key: object = None,
        path: object = None,
    ) -> Any:
        """As `harness.jax.sdeint`: (times, batch, dim). A state of one sample, (dim,), gives (times, dim).

        Under `jax.vmap` the state is that of one sample. Raises ProblemError.
        """
        del method, path
        try:
            known("noise_type", noise_type, SDE_NOISES)
            known("sde_type", sde_type, CALCULI)
            functions = Functions.of(drift, diffusion, drift_and_diffusion)
            says = functions.says
        except ValueError as error:
            raise ProblemError(f"solve.sdeint: {error}") from error
        schedule = self._scheduled(lambda: Schedule.of(concrete("ts", ts)))
        depends = tuple(x for x in (key,) if isinstance(x, jax.Array))
        single = jnp.ndim(y0) == 1
        how = _asked("sdeint", schedule, scheme, steps, dt, rtol, atol)
        call = Call(functions, y0, args, noise_type, sde_type, schedule, single, depends, says, **how)
        return self._solved("sdeint", call)

    def odeint(
        self,
        drift: Callable[..., Any],
        y0: PyTree,
        ts: Times,
        args: PyTree = None,
        *,
        method: str | None = None,
        scheme: str | None = None,
        steps: int | None = None,
        dt: float | None = None,
        rtol: float = 0.0,
        atol: float = 0.0,
    ) -> Any:
        """As `harness.jax.odeint`: of y0's structure, with an axis of times before each array's own. `ts` may decrease.

        Raises ProblemError.
        """
        del method
        if not callable(drift):
            raise ProblemError(f"solve.odeint: drift is {shown(drift)}; needed: a function (t, y, args)")
        if not jax.tree.leaves(y0):
            raise ProblemError(f"solve.odeint: y0 is {shown(y0)}; needed: an array, or a tree of arrays")
        schedule = self._scheduled(lambda: Schedule.of(concrete("ts", ts)))
        how = _asked("odeint", schedule, scheme, steps, dt, rtol, atol)
        call = Call(Functions(drift), y0, args, "none", "stratonovich", schedule, **how)
        return self._solved("odeint", call)

    def diffeqsolve(
        self,
        terms: Any,
        solver: Any,
        t0: Any,
        t1: Any,
        dt0: Any,
        y0: PyTree,
        args: PyTree = None,
        *,
        saveat: Any = None,
        stepsize_controller: object = None,
        adjoint: object = None,
        max_steps: object = 4096,
        throw: object = None,
        progress_meter: object = None,
        **others: object,
    ) -> Solution:
        """As `diffrax.diffeqsolve`, for an `ODETerm` or `MultiTerm(ODETerm, ControlTerm)`.

        The control must be a Brownian path. The noise is diagonal where the control's vector field gives a
        `lineax.DiagonalLinearOperator`, as that of a `WeaklyDiagonalControlTerm` does. `saveat` may have ts, t0 and
        t1. It is used under `jax.vmap` over samples, or with a state of all of them, (batch, dim), for diagonal noise
        and ODEs. Raises ProblemError.
        """
        del adjoint, throw, progress_meter
        for name in others:
            raise ProblemError(f"solve.diffeqsolve: the argument {name} is not supported")
        schedule = self._scheduled(lambda: _terms.schedule_of(t0, t1, saveat))
        how = _terms.asked(solver, dt0, stepsize_controller) | {"most_steps": _most_steps(max_steps)}
        call = _terms.call_of(terms, solver, schedule, y0, args, how)
        states = self._solved("diffeqsolve", call)
        picked = np.asarray(schedule.wanted)
        dtype = jnp.result_type(*jax.tree.leaves(y0))
        ts = jnp.asarray(schedule.array(), dtype)
        return Solution(ts[0], ts[-1], ts[picked], jax.tree.map(lambda x: x[picked], states))

    def _scheduled(self, given: Callable[[], Schedule]) -> Schedule:
        """What was found in the rehearsal, since `jit` hides the values of arrays that are made within it."""
        return given() if self._by is None or self.schedule is None else self.schedule

    def _solved(self, function: str, call: Call) -> PyTree:
        self.calls += 1
        if call.noise != "none" and not call.single:
            shape = np.shape(call.y0) if isinstance(call.y0, jax.Array | np.ndarray) else None
            if shape is None or len(shape) != 2:
                given = shown(call.y0) if shape is None else f"shape {shape}"
                raise ProblemError(f"solve.{function}: y0 has {given}; needed: (batch, dim), or (dim,) of one sample")
            if samples_of(call.arrays()) is not None:
                raise ProblemError(
                    f"solve.{function}: y0 is (batch, dim) under jax.vmap; needed: one sample, (dim,), or no vmap"
                )
        if self._by is None:
            self.schedule = call.schedule
            return zero_states(call, call.y0)
        solver, noise = self._by
        return solver.solve(call, noise)


def _asked(
    function: str, schedule: Schedule, scheme: object, steps: object, dt: object, rtol: object, atol: object
) -> dict[str, Any]:
    """What the model asks for itself: the scheme, the step and the tolerances. Raises ProblemError."""
    if scheme is not None and not isinstance(scheme, str):
        raise ProblemError(f"solve.{function}: scheme is {shown(scheme)}; needed: the name of a scheme")
    length = _number(function, "dt", dt, above=True)
    count = _number(function, "steps", steps, above=True)
    if length is None and count is not None:
        length = abs(schedule.times[-1] - schedule.times[0]) / count
    tolerances = {name: _number(function, name, x) or None for name, x in (("rtol", rtol), ("atol", atol))}
    return {"dt": length, "method": scheme, **tolerances}


def _most_steps(given: object) -> int:
    """diffrax's `max_steps`; its default where the model has none, as it may for an adjoint of constant memory."""
    if given is None:
        return 4096
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ProblemError(f"solve.diffeqsolve: max_steps is {shown(given)}; needed: an integer above 0, or None")
    return given


def _number(function: str, name: str, given: object, *, above: bool = False) -> float | None:
    """A finite number of at least 0, or above 0. Raises ProblemError where it is none."""
    if given is None:
        return None
    found = float(given) if isinstance(given, int | float | np.number | jax.Array) and np.ndim(given) == 0 else math.nan
    if not 0 <= found < math.inf or (above and not found):
        needed = "a number above 0" if above else "a number, at least 0"
        raise ProblemError(f"solve.{function}: {name} is {shown(given)}; needed: {needed}")
    return found
