"""The shared path as torchsde's Brownian motion."""

from __future__ import annotations

import numpy as np
import torch
import torchsde
from torch import Tensor

from harness.arrays import Scalar
from harness.brownian.path import LEVELS, SharedPath
from harness.case import Case


class _Injected(torchsde.BaseBrownian):
    """What torchsde asks of a Brownian motion beside its increments."""

    __slots__ = ("_device", "_dtype", "_shape")

    def __init__(self, case: Case, path: SharedPath) -> None:
        self._device, self._dtype = torch.device(case.device), getattr(torch, case.dtype)
        self._shape = torch.Size((path.batch, path.noise_dim))

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.tensor(values, dtype=self._dtype, device=self._device)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={tuple(self.shape)})"

    @property
    def dtype(self) -> torch.dtype:
        """Of the increments."""
        return self._dtype

    @property
    def device(self) -> torch.device:
        """Of the increments."""
        return self._device

    @property
    def shape(self) -> torch.Size:
        """(batch, noise_dim)."""
        return self._shape

    @property
    def levy_area_approximation(self) -> str:
        """The path carries H."""
        return "space-time"

    def size(self) -> torch.Size:
        """(batch, noise_dim)."""
        return self.shape


class InjectedBrownian(_Injected):
    """Answers torchsde's queries (ta, tb) from the shared path, forwards and, through its ReverseBrownian, backwards.

    A query must start and end on the case's grid. U = ∫ (W_s − W_ta) ds over the query is h (W/2 + H) for one step.
    """

    __slots__ = ("_H", "_W", "_dt", "_t0")

    def __init__(self, case: Case, path: SharedPath) -> None:
        super().__init__(case, path)
        W, H = path.increments(case.steps)
        self._W, self._H = self._tensor(W), self._tensor(H)
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


class InjectedAtAnyTime(_Injected):
    """Answers queries at the times of adaptive steps, which may be any.

    A time stands for the nearest end of one of the path's smallest cells, so that W is a function of time: what a step
    that is rejected has seen, and the way back, are of one path. The lengths of steps are off by half a cell at most,
    2^−21 of the interval.
    """

    __slots__ = ("_known", "_path")

    def __init__(self, case: Case, path: SharedPath) -> None:
        super().__init__(case, path)
        self._path = path
        self._known: dict[int, np.ndarray] = {0: np.zeros((path.batch, path.noise_dim))}

    def __call__(self, ta: Scalar, tb: Scalar | None = None, return_U: bool = False, return_A: bool = False) -> Tensor:
        """W over [ta, tb], (batch, noise_dim)."""
        if tb is None or return_U or return_A:
            raise NotImplementedError("the shared path at any time answers increments over intervals, without areas")
        return self._tensor(self._at(tb) - self._at(ta))

    def _at(self, t: Scalar) -> np.ndarray:
        """W at a time, less W at t0."""
        path = self._path
        cell = round((float(t) - path.t0) / (path.t1 - path.t0) * 2**LEVELS)
        if cell not in self._known:
            W, _ = path.between(path.t0 + (path.t1 - path.t0) * np.array([0.0, cell / 2**LEVELS]))
            self._known[cell] = W[0]
        return self._known[cell]
