"""What a model asks of `solve`: an SDE or an ODE, its initial state and its times."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from harness.errors import ProblemError
from harness.torch._logqp import with_divergence, with_room_for_divergence
from harness.torch._right_hand_side import RightHandSide
from harness.torch._solvers import Times
from harness.torch._state import Form, State


@dataclass(frozen=True, eq=False)
class SdeCall:
    """`sdeint(sde, y0, ts)`. `names`, `logqp` and `params` (torchsde's adjoint_params) are as in torchsde.

    `dt`, `method` and, of adaptive steps, the tolerances are what the model itself asks for.
    """

    sde: object
    y0: Tensor
    ts: Times
    names: Mapping[str, str] | None = None
    logqp: bool = False
    params: tuple[Tensor, ...] = ()
    dt: float | None = None
    method: str | None = None
    rtol: float | None = None
    atol: float | None = None

    def side(self) -> RightHandSide:
        """f and g; with the divergence for `logqp`. Raises ProblemError."""
        try:
            side = RightHandSide.of(self.sde, self.names)
            return with_divergence(side) if self.logqp else side
        except ValueError as error:
            raise ProblemError(f"solve.sdeint: {error}") from error

    def start(self) -> Tensor:
        """y0 as (batch, dim), with room for the divergence for `logqp`. Raises ProblemError."""
        if not isinstance(self.y0, Tensor) or self.y0.dim() != 2:
            given = tuple(self.y0.shape) if isinstance(self.y0, Tensor) else type(self.y0).__name__
            raise ProblemError(f"solve.sdeint: y0 must be a tensor (batch, dim); given: {given}")
        _check_numbers("solve.sdeint", self.y0)
        return with_room_for_divergence(self.y0) if self.logqp else self.y0

    def times(self) -> np.ndarray:
        """The times, increasing, in float64 or as given."""
        return as_array(self.ts)


@dataclass(frozen=True, eq=False)
class OdeCall:
    """`odeint(func, y0, t)`."""

    func: Callable[[Tensor, Any], Any]
    y0: State
    ts: Times
    params: tuple[Tensor, ...] = ()
    method: str | None = None
    dt: float | None = None
    rtol: float | None = None
    atol: float | None = None

    @property
    def decreasing(self) -> bool:
        """Whether it is solved backwards in time."""
        times = as_array(self.ts)
        return times.ndim == 1 and len(times) > 1 and bool(times[0] > times[-1])

    def form(self) -> Form:
        """The shapes of the state. Raises ProblemError."""
        try:
            return Form.of(self.y0)
        except ValueError as error:
            raise ProblemError(f"solve.odeint: {error}") from error

    def side(self) -> RightHandSide:
        """f of the packed state; of −t, and with the other sign, where times decrease."""
        func = self.func
        side = RightHandSide.of_ode(func, self.form())
        if not self.decreasing:
            return RightHandSide(func, side.noise, side.calculus, side.f)
        return RightHandSide(func, side.noise, side.calculus, lambda t, y: -side.f(-t, y))

    def start(self) -> Tensor:
        """y0 as (rows, columns). Raises ProblemError."""
        start = self.form().pack(self.y0)
        _check_numbers("solve.odeint", start)
        return start

    def times(self) -> np.ndarray:
        """The times, increasing: with their signs changed where they decrease."""
        times = as_array(self.ts)
        if not self.decreasing:
            return times
        if not (np.diff(times) < 0).all():
            raise ProblemError(f"solve.odeint: t is {times.tolist()}; needed: times that all increase or all decrease")
        return -times


def _check_numbers(function: str, y0: Tensor) -> None:
    if y0.dtype not in (torch.float32, torch.float64):
        raise ProblemError(f"{function}: y0 is of type {y0.dtype}; needed: torch.float32 or torch.float64")
    if not y0.numel():
        raise ProblemError(f"{function}: y0 has the shape {tuple(y0.shape)}; needed: at least one entry")


def as_array(ts: Times) -> np.ndarray:
    """Times in numpy."""
    return ts.detach().cpu().numpy() if isinstance(ts, Tensor) else np.asarray(ts)


def as_tensor(ts: Times, like: Tensor) -> Tensor:
    """Times as a library takes them: a tensor as it is, else one of y0's precision."""
    return ts if isinstance(ts, Tensor) else torch.as_tensor(np.asarray(ts), dtype=like.dtype, device=like.device)
