"""Brownian increments for the native PyTorch methods: O(1) memory, any step at any time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from harness.brownian.path import SharedPath, increments_on
from harness.brownian.ticks import values
from harness.brownian.torch_normals import make_normals
from harness.brownian.torch_tree import TorchTree, TreeNoise
from harness.case import Case
from harness.grid import Grid

CHUNK_NUMBERS = 2**13  # about as many are drawn together: enough to hide the cost of a draw, little to hold


class TorchNoise:
    """`noise[n]` is what drives step n: dW, (batch, noise_dim), or the pair (dW, H) where the scheme needs it.

    Drawn by a generator seeded for each chunk of steps, one chunk being held. A backward pass so redraws what the
    forward pass drew.
    """

    def __init__(self, case: Case, noise_dim: int, grid: Grid, *, levy_area: bool) -> None:
        count = max(1, CHUNK_NUMBERS // (case.batch * noise_dim))
        self._shape = (count, case.batch, noise_dim)
        self._normals = make_normals(case.seed, getattr(torch, case.dtype), torch.device(case.device))
        variances = (1.0, 1 / 12) if levy_area else (1.0,)  # stream 0 is W's, 1 is H's
        if grid.equal_step is not None:
            self._scales: list[Any] = [(grid.equal_step * variance) ** 0.5 for variance in variances]
        else:
            lengths = torch.from_numpy(np.append(grid.lengths, np.zeros(-grid.steps % count)))
            like = {"dtype": getattr(torch, case.dtype), "device": case.device}
            self._scales = [
                (lengths * variance).sqrt().to(**like).view(-1, count, 1, 1).unbind() for variance in variances
            ]
        self._index = -1
        self._chunk: tuple[Any, ...] = ()

    def __getitem__(self, n: int) -> Any:
        """The noise of step n."""
        index, place = divmod(n, self._shape[0])
        if index != self._index:
            self._chunk = ()  # lets go of the old chunk before the new one is made
            drawn = [
                self._normals(stream, index, *self._shape)
                .mul_(scale if isinstance(scale, float) else scale[index])
                .unbind()
                for stream, scale in enumerate(self._scales)
            ]
            self._chunk = drawn[0] if len(drawn) == 1 else tuple(zip(*drawn, strict=True))
            self._index = index
        return self._chunk[place]

    def forget(self) -> None:
        """Let go of what was drawn, so that a run draws all that it needs."""
        self._index, self._chunk = -1, ()


class InjectedTorchNoise:
    """The shared path, all of it held: `noise[n]` is dW of step n, or the pair (dW, H)."""

    def __init__(self, case: Case, grid: Grid, path: SharedPath, *, levy_area: bool) -> None:
        kind: dict[str, Any] = {"device": case.device, "dtype": getattr(torch, case.dtype)}
        W, H = (torch.from_numpy(x).to(**kind).unbind() for x in increments_on(path, grid))
        self._steps: tuple[Any, ...] = tuple(zip(W, H, strict=True)) if levy_area else W

    def __getitem__(self, n: int) -> Any:
        """The noise of step n."""
        return self._steps[n]

    def forget(self) -> None:
        """Nothing was drawn."""


class NoNoise:
    """For ODEs."""

    def __getitem__(self, n: int) -> None:
        """There is none."""

    def forget(self) -> None:
        """Nothing was drawn."""


class Noise(Protocol):
    """What drives the steps of a solve, whoever draws it."""

    def __getitem__(self, n: int) -> Any:
        """The noise of step n: dW, (batch, noise_dim), or the pair (dW, H); None for an ODE."""
        ...

    def forget(self) -> None:
        """Let go of what was drawn, so that a run draws all that it needs."""
        ...


def make_path(
    case: Case, noise_dim: int, ticks: int, span: float, path: SharedPath | None
) -> Callable[[int], Tensor | None]:
    """W at a tick, (batch, noise_dim), for adaptive steps: of the shared path, all of it held, else of the tree."""
    if not noise_dim:
        return lambda _: None
    if path is None:
        return TorchTree(case, noise_dim, ticks, span).at
    W = torch.from_numpy(values(path, ticks)).to(device=case.device, dtype=getattr(torch, case.dtype))
    return W.__getitem__


def make_noise(case: Case, noise_dim: int, grid: Grid, path: SharedPath | None, *, levy_area: bool = False) -> Noise:
    """The noise that the case asks for, by the steps of the grid."""
    if not noise_dim:
        return NoNoise()
    if path is None and case.brownian == "tree":
        return TreeNoise(TorchTree.on(grid, case, noise_dim, levy_area=levy_area))
    if path is None:
        return TorchNoise(case, noise_dim, grid, levy_area=levy_area)
    return InjectedTorchNoise(case, grid, path, levy_area=levy_area)
