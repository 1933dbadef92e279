"""A solve with equal steps whose states at other times are interpolated, as torchsde does."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from harness.models.torch.call import OdeCall, SdeCall
from harness.models.torch.native import NativeSolver
from harness.models.torch.solve import AbstractSolver
from harness.torch._state import State


@dataclass(frozen=True)
class Interpolated(AbstractSolver):
    """`solver` observed at every step, and straight lines between."""

    solver: NativeSolver

    def sde(self, call: SdeCall) -> Tensor | tuple[Tensor, Tensor]:
        """The states, and the divergences where they are asked for."""
        times = call.times().astype(np.float64)
        grid = np.linspace(times[0], times[-1], self.solver.steps + 1)
        found = self.solver.sde(replace(call, ts=grid))
        if not isinstance(found, tuple):
            return _at(times, grid, found)
        ys, divergences = found
        total = torch.cat([torch.zeros_like(divergences[:1]), divergences.cumsum(0)])
        return _at(times, grid, ys), _at(times, grid, total).diff(dim=0)

    def ode(self, call: OdeCall) -> State:
        """No library interpolates an ODE here."""
        return self.solver.ode(call)


def _at(times: np.ndarray, grid: np.ndarray, ys: Tensor) -> Tensor:
    """Values at `times` of what is known at `grid`."""
    right = np.clip(np.searchsorted(grid, times), 1, len(grid) - 1)
    weight = ys.new_tensor((times - grid[right - 1]) / np.diff(grid)[right - 1])
    weight = weight.reshape(-1, *[1] * (ys.dim() - 1))
    return ys[right - 1] * (1 - weight) + ys[right] * weight
