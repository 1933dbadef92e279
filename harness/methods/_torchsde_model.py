"""A user's own model solved by torchsde, called as its documentation has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import torch
import torchsde
from torch import Tensor

from harness.brownian.path import SharedPath
from harness.brownian.torchsde_path import InjectedAtAnyTime, InjectedBrownian
from harness.case import Case
from harness.errors import ProblemError
from harness.models.torch.call import OdeCall, SdeCall, as_tensor
from harness.models.torch.solve import AbstractSolver
from harness.stepping import by_stepping
from harness.stepping.ticks import SDE_TICKS
from harness.torch._reads import Reads
from harness.torch._state import State


class _FixedSteps:
    """Equal steps: what torchsde does by default."""

    injected = InjectedBrownian

    def arguments(self, ts: Tensor) -> dict[str, Any]:
        """None."""
        del ts
        return {}


@dataclass(frozen=True)
class _AdaptiveSteps:
    """torchsde's own rule."""

    rtol: float
    atol: float
    injected = InjectedAtAnyTime

    def arguments(self, ts: Tensor) -> dict[str, Any]:
        """The tolerances, and the shortest step at whose ends the shared path is known."""
        shortest = float(ts[-1] - ts[0]) / SDE_TICKS
        return {"adaptive": True, "rtol": self.rtol, "atol": self.atol, "dt_min": shortest}


@dataclass(frozen=True)
class TorchsdeSolver(AbstractSolver):
    """`sdeint`, or `sdeint_adjoint`, with torchsde's scheme `method` and `columns` Brownian motions.

    An adjoint gets all tensors that f and g read as adjoint_params, where torchsde itself takes the module's parameters
    alone.
    """

    case: Case
    path: SharedPath | None
    columns: int
    method: str
    adjoint: bool = False
    backwards: str | None = None
    reads: Reads = field(default_factory=Reads, compare=False)

    def sde(self, call: SdeCall) -> Tensor | tuple[Tensor, Tensor]:
        """By equal steps of the interval, or torchsde's adaptive ones; at other times torchsde interpolates."""
        ts = as_tensor(call.ts, call.y0)
        how: dict[str, Any] = {"bm": self._brownian(call.y0, ts), "method": self.method, "logqp": call.logqp}
        how |= {"dt": float(ts[-1] - ts[0]) / self.case.steps, "names": dict(call.names or {})}
        how |= self._steps.arguments(ts)
        if not self.adjoint:
            return cast(Any, torchsde.sdeint(call.sde, call.y0, ts, **how))
        how |= {f"adjoint_{name}": value for name, value in self._steps.arguments(ts).items() if name != "dt_min"}
        if self.backwards is not None:
            how["adjoint_method"] = self.backwards
        sde, read = cast(Any, call.sde), self._read(call, ts)  # need not be a module, where adjoint_params are given
        return cast(Any, torchsde.sdeint_adjoint(sde, call.y0, ts, adjoint_params=read, **how))

    def ode(self, call: OdeCall) -> State:
        """It has none."""
        del call
        raise ProblemError("torchsde solves SDEs, not ODEs")

    @property
    def _steps(self) -> _FixedSteps | _AdaptiveSteps:
        return by_stepping(self.case, fixed=_FixedSteps(), adaptive=_AdaptiveSteps)

    def _brownian(self, y0: Tensor, ts: Tensor) -> torchsde.BaseBrownian:
        """The shared path, or a new sample a solve, as torchsde makes one where it is given none, but with a seed."""
        if self.path is not None:
            return self._steps.injected(self.case, self.path)
        return torchsde.BrownianInterval(
            t0=ts[0],
            t1=ts[-1],
            size=(len(y0), self.columns),
            dtype=y0.dtype,
            device=y0.device,
            entropy=self.case.seed,
            levy_area_approximation="space-time" if self.method == "srk" else "none",
        )

    def _read(self, call: SdeCall, ts: Tensor) -> tuple[Tensor, ...]:
        at = [t.to(call.y0.dtype) for t in torch.unbind(ts)]
        _, read = self.reads.of(call.side(), call.start().detach(), at, call.params)
        return tuple(read)
