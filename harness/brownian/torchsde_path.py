"""The shared path as torchsde's Brownian motion."""

from __future__ import annotations

import torch
import torchsde
from torch import Tensor

from harness.arrays import Scalar
from harness.brownian.path import SharedPath
from harness.case import Case


class InjectedBrownian(torchsde.BaseBrownian):
    """Answers torchsde's queries (ta, tb) from the shared path, forwards and, through its ReverseBrownian, backwards.

    A query must start and end on the case's grid. U = ∫ (W_s − W_ta) ds over the query is h (W/2 + H) for one step.
    """

    __slots__ = ("_H", "_W", "_dt", "_t0")

    def __init__(self, case: Case, path: SharedPath) -> None:
        device, dtype = torch.device(case.device), getattr(torch, case.dtype)
        W, H = path.increments(case.steps)
        self._W = torch.tensor(W, dtype=dtype, device=device)
        self._H = torch.tensor(H, dtype=dtype, device=device)
        self._t0 = path.t0
        self._dt = (path.t1 - path.t0) / case.steps

    def __call__(
        self, ta: Scalar, tb: Scalar | None = None, return_U: bool = False, return_A: bool = False
    ) -> Tensor | tuple[Tensor, Tensor]:
        """W over [ta, tb], (batch, noise_dim); with `return_U` the pair (W, U)."""
        if tb is None or return_A:
            raise NotImplementedError("the shared path answers increments over intervals, and no Lévy area A")
        start = round((float(ta) - self._t0) / self._dt)
        stop = round((float(tb) - self._t0) / self._dt)
        if stop == start + 1:
            W = self._W[start]
            return (W, self._dt * (0.5 * W + self._H[start])) if return_U else W
        steps = self._W[start:stop]
        W = steps.sum(0)
        if not return_U:
            return W
        before = steps.cumsum(0) - steps
        return W, self._dt * (before + 0.5 * steps + self._H[start:stop]).sum(0)

    def __repr__(self) -> str:
        return f"InjectedBrownian(shape={tuple(self.shape)})"

    @property
    def dtype(self) -> torch.dtype:
        """Of the increments."""
        return self._W.dtype

    @property
    def device(self) -> torch.device:
        """Of the increments."""
        return self._W.device

    @property
    def shape(self) -> torch.Size:
        """(batch, noise_dim)."""
        return self._W.shape[1:]

    @property
    def levy_area_approximation(self) -> str:
        """The path carries H."""
        return "space-time"

    def size(self) -> torch.Size:
        """(batch, noise_dim)."""
        return self.shape
