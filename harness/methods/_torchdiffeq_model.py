"""A user's own model solved by torchdiffeq, called as its documentation has it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import torch
import torchdiffeq
from torch import Tensor
from torch.utils._pytree import tree_leaves

from harness.case import Case
from harness.errors import ProblemError
from harness.grid import Grid
from harness.models.torch.call import OdeCall, SdeCall, as_tensor
from harness.models.torch.solve import AbstractSolver
from harness.stepping import by_stepping
from harness.torch._reads import Reads
from harness.torch._state import State


@dataclass(frozen=True)
class _FixedSteps:
    """So many steps, shared out over the call's times."""

    count: int

    def arguments(self, call: OdeCall, ts: Tensor) -> dict[str, Any]:
        """The grid, which has every one of the call's times."""
        sign = -1 if call.decreasing else 1
        grid = Grid.of(call.times(), self.count, None)
        times = torch.as_tensor(sign * grid.times, dtype=ts.dtype, device=ts.device)
        times[0], times[grid.observed.tolist()] = ts[0], ts[1:]
        return {
            "options": {"grid_constructor": _between(times)},
            # Times that decrease are negated before the adjoint sees them.
            "adjoint_options": {"grid_constructor": _between(sign * times)},
        }


@dataclass(frozen=True)
class _AdaptiveSteps:
    """torchdiffeq's own rule. The first step is a part of the interval, one of `count`."""

    count: int
    rtol: float
    atol: float

    def arguments(self, call: OdeCall, ts: Tensor) -> dict[str, Any]:
        """The tolerances and the first step."""
        del call
        first = float((ts[-1] - ts[0]).abs()) / self.count
        return {"options": {"first_step": first}, "rtol": self.rtol, "atol": self.atol}


@dataclass(frozen=True)
class TorchdiffeqSolver(AbstractSolver):
    """`odeint`, or `odeint_adjoint`, with torchdiffeq's scheme `method` on the case's grid.

    An adjoint gets all tensors that f reads as adjoint_params, where torchdiffeq itself takes the module's parameters
    alone.
    """

    case: Case
    method: str
    adjoint: bool = False
    reads: Reads = field(default_factory=Reads, compare=False)

    def sde(self, call: SdeCall) -> Tensor | tuple[Tensor, Tensor]:
        """It has none."""
        del call
        raise ProblemError("torchdiffeq solves ODEs, not SDEs")

    def ode(self, call: OdeCall) -> State:
        """By the case's steps, in the direction of the call's times, or by torchdiffeq's own adaptive ones."""
        like: Tensor = tree_leaves(call.y0)[0]
        ts = as_tensor(call.ts, like)
        count = self.case.steps
        steps: _FixedSteps | _AdaptiveSteps = by_stepping(
            self.case, fixed=_FixedSteps(count), adaptive=functools.partial(_AdaptiveSteps, count)
        )
        how = {"method": self.method, **steps.arguments(call, ts)}
        if not self.adjoint:
            how.pop("adjoint_options", None)
            return cast(State, torchdiffeq.odeint(call.func, call.y0, ts, **how))
        at = [like.new_tensor(float(t)) for t in call.times()]
        _, read = self.reads.of(call.side(), call.start().detach(), at, call.params)
        return cast(State, torchdiffeq.odeint_adjoint(call.func, call.y0, ts, adjoint_params=tuple(read), **how))


def _between(times: Tensor) -> Callable[[object, State, Tensor], Tensor]:
    """The steps between the ends of t, in their order: backwards the adjoint solves one interval at a time."""

    def steps(func: object, y0: State, t: Tensor) -> Tensor:
        del func, y0
        start, stop = (int((times == end).nonzero()) for end in (t[0], t[-1]))
        return times[start : stop + 1] if start < stop else times[stop : start + 1].flip(0)

    return steps
