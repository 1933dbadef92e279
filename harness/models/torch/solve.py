"""`solve`, which a model is given: torchsde's `sdeint` and torchdiffeq's `odeint`, with their arguments."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, overload

from torch import Tensor

from harness.errors import ProblemError, shown
from harness.models.torch.call import OdeCall, SdeCall
from harness.torch._solvers import Times
from harness.torch._state import State


class AbstractSolver(ABC):
    """How the calls of a model are solved: by the method that is measured."""

    @abstractmethod
    def sde(self, call: SdeCall) -> Tensor | tuple[Tensor, Tensor]:
        """What `torchsde.sdeint` returns."""

    @abstractmethod
    def ode(self, call: OdeCall) -> State:
        """What `torchdiffeq.odeint` returns."""


class Solve:
    """Solves what a model asks for by the method, the scheme and the steps that are measured.

    So a model calls `solve.sdeint` where it called `torchsde.sdeint` or `sdeint_adjoint`, and `solve.odeint` where it
    called torchdiffeq's. Arguments that say how to solve (`method`, `dt`, tolerances, all that start with `adjoint_`)
    tell `harness try` what to measure around, and change nothing in a suite, which says itself how to solve. Only
    `adjoint_params` is always read: tensors that f and g depend on.
    """

    def __init__(self, solver: AbstractSolver) -> None:
        self.solver = solver
        self.calls = 0
        """Solves since it was last set to 0."""

    def __getattr__(self, name: str) -> object:
        """There are two functions alone, whichever method solves."""
        raise AttributeError(f"solve has no {name}; allowed: solve.sdeint, solve.odeint, for every method")

    def sdeint(
        self,
        sde: object,
        y0: Tensor,
        ts: Times,
        bm: object = None,
        method: str | None = None,
        dt: float | None = None,
        adaptive: bool = False,
        rtol: float | None = None,
        atol: float | None = None,
        dt_min: float | None = None,
        options: Mapping[str, object] | None = None,
        names: Mapping[str, str] | None = None,
        logqp: bool = False,
        *,
        adjoint_params: Iterable[Tensor] | None = None,
        **how: object,
    ) -> Any:
        """`torchsde.sdeint`: the states at `ts`, (len(ts), batch, dim); with `logqp` the divergences beside them.

        `sde` follows torchsde's convention. Raises ProblemError for what the harness can't take.
        """
        del dt_min, options
        if bm is not None:
            raise ProblemError("solve.sdeint: leave out bm, since the harness gives every method one Brownian path")
        _only_adjoint("sdeint", how)
        _check_times("sdeint", ts)
        self.calls += 1
        _check_method("sdeint", method)
        params, step = _tensors("sdeint", adjoint_params), _step("sdeint", "dt", dt)
        tolerances = {"rtol": _tolerance("sdeint", "rtol", rtol), "atol": _tolerance("sdeint", "atol", atol)}
        own = tolerances if adaptive else {}
        return self.solver.sde(SdeCall(sde, y0, ts, names, bool(logqp), params, step, method, **own))

    @overload
    def odeint(self, func: Callable[[Tensor, Tensor], Tensor], y0: Tensor, t: Times, **how: Any) -> Tensor: ...
    @overload
    def odeint(
        self,
        func: Callable[[Tensor, tuple[Tensor, ...]], tuple[Tensor, ...]],
        y0: tuple[Tensor, ...],
        t: Times,
        **how: Any,
    ) -> tuple[Tensor, ...]: ...
    def odeint(
        self,
        func: Callable[[Tensor, Any], Any],
        y0: State,
        t: Times,
        *,
        rtol: float | None = None,
        atol: float | None = None,
        method: str | None = None,
        options: Mapping[str, Any] | None = None,
        event_fn: object = None,
        adjoint_params: Iterable[Tensor] | None = None,
        **how: object,
    ) -> State:
        """`torchdiffeq.odeint`: the states at `t`, with an axis of times before those of `y0`.

        `y0` is a tensor of any shape or a tuple of tensors; `t` may decrease. Raises ProblemError.
        """
        if event_fn is not None:
            raise ProblemError("solve.odeint: event_fn is not supported, since a solve must end at a given time")
        _only_adjoint("odeint", how)
        _check_times("odeint", t)
        self.calls += 1
        _check_method("odeint", method)
        if options is not None and not isinstance(options, Mapping):
            raise ProblemError(f"solve.odeint: options is {shown(options)}; needed: a dictionary")
        step = _step("odeint", "options['step_size']", (options or {}).get("step_size"))
        tolerances = _tolerance("odeint", "rtol", rtol), _tolerance("odeint", "atol", atol)
        return self.solver.ode(OdeCall(func, y0, t, _tensors("odeint", adjoint_params), method, step, *tolerances))


def _check_times(function: str, ts: Times) -> None:
    if isinstance(ts, Tensor) and ts.requires_grad:
        raise ProblemError(f"solve.{function}: the times require a gradient, which no method gives; detach them")


def _check_method(function: str, method: object) -> None:
    if method is not None and not isinstance(method, str):
        raise ProblemError(f"solve.{function}: method is {shown(method)}; needed: the name of a scheme")


def _tensors(function: str, given: object) -> tuple[Tensor, ...]:
    """adjoint_params. Raises ProblemError where they are no tensors."""
    found: list[Tensor] = []
    entries: Iterable[object] = () if given is None else (given,)
    if isinstance(given, Iterable) and not isinstance(given, Tensor):
        entries = given
    for x in entries:
        if not isinstance(x, Tensor):
            raise ProblemError(f"solve.{function}: adjoint_params has {shown(x)}; needed: tensors")
        found.append(x)
    return tuple(found)


def _step(function: str, name: str, given: object) -> float | None:
    """A step as a number. Raises ProblemError where it is none."""
    step = None if given is None else _number(given)
    if step is not None and not 0 < step < math.inf:
        raise ProblemError(f"solve.{function}: {name} is {shown(given)}; needed: a number above 0")
    return step


def _tolerance(function: str, name: str, given: object) -> float | None:
    """A tolerance as a number; None for several, one for each part of the state. Raises ProblemError."""
    if given is None or isinstance(given, tuple | list) or (isinstance(given, Tensor) and given.numel() > 1):
        return None
    tolerance = _number(given)
    if not 0 <= tolerance < math.inf:
        raise ProblemError(f"solve.{function}: {name} is {shown(given)}; needed: a number, at least 0")
    return tolerance


def _number(given: Any) -> float:
    """NaN for what is none."""
    try:
        return float(given)
    except (TypeError, ValueError, RuntimeError):
        return math.nan


def _only_adjoint(function: str, how: Mapping[str, object]) -> None:
    """An argument that the library itself doesn't know, or that asks for more than states."""
    for name in how:
        if not name.startswith("adjoint_"):
            raise ProblemError(f"solve.{function}: the argument {name} is not supported")
