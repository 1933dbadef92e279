"""Brownian increments for the native PyTorch methods: O(1) memory, any step at any time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from harness.brownian.path import SharedPath, increments_on
from harness.brownian.ticks import values
from harness.brownian.torch_normals import make_normals
from harness.brownian.torch_tree import Drawn, TorchTree, TreeAtTicks, TreeNoise
from harness.case import Case
from harness.grid import Grid
from harness.scheme import Noise
from harness.stepping import Stepping
from harness.stepping.ticks import Ticks

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
        self._scales: Sequence[float | tuple[Tensor, ...]]
        if grid.equal_step is not None:
            self._scales = [(grid.equal_step * variance) ** 0.5 for variance in variances]
        else:
            lengths = torch.from_numpy(np.append(grid.lengths, np.zeros(-grid.steps % count)))
            dtype = getattr(torch, case.dtype)
            self._scales = [
                (lengths * variance).sqrt().to(case.device, dtype).view(-1, count, 1, 1).unbind()
                for variance in variances
            ]
        self._index = -1
        self._chunk: Sequence[Drawn] = ()

    def __getitem__(self, n: int) -> Drawn:
        """The noise of step n."""
        index, place = divmod(n, self._shape[0])
        if index != self._index:
            self._chunk = ()  # lets go of the old chunk before the new one is made
            W, *H = (
                self._normals(stream, index, *self._shape)
                .mul_(scale[index] if isinstance(scale, tuple) else scale)
                .unbind()
                for stream, scale in enumerate(self._scales)
            )
            self._chunk = tuple(zip(W, H[0], strict=True)) if H else W
            self._index = index
        return self._chunk[place]

    def forget(self) -> None:
        """Let go of what was drawn, so that a run draws all that it needs."""
        self._index, self._chunk = -1, ()


class InjectedTorchNoise:
    """The shared path, all of it held: `noise[n]` is dW of step n, or the pair (dW, H)."""

    def __init__(self, case: Case, grid: Grid, path: SharedPath, *, levy_area: bool) -> None:
        dtype = getattr(torch, case.dtype)
        W, H = (torch.from_numpy(x).to(case.device, dtype).unbind() for x in increments_on(path, grid))
        self._steps: Sequence[Drawn] = tuple(zip(W, H, strict=True)) if levy_area else W

    def __getitem__(self, n: int) -> Drawn:
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


class NoiseSource(Protocol):
    """What drives the steps of a solve, whoever draws it."""

    def __getitem__(self, n: int) -> Noise[Tensor]:
        """The noise of step n: dW, (batch, noise_dim), or the pair (dW, H); None for an ODE.

        With adaptive steps W at tick n.
        """
        ...

    def forget(self) -> None:
        """Let go of what was drawn, so that a run draws all that it needs."""
        ...


class PathAtTicks:
    """`noise[n]` is W of the shared path at tick n, all of it held."""

    def __init__(self, case: Case, ticks: Ticks, path: SharedPath) -> None:
        self._W = torch.from_numpy(values(path, ticks)).to(device=case.device, dtype=getattr(torch, case.dtype))

    def __getitem__(self, n: int) -> Float[Tensor, "batch noise_dim"]:
        """W there."""
        return self._W[n]

    def forget(self) -> None:
        """Nothing was drawn."""


def make_noise(
    case: Case, noise_dim: int, stepping: Stepping, path: SharedPath | None, *, levy_area: bool = False
) -> NoiseSource:
    """The noise that the case asks for: by the steps of a grid, or, for adaptive steps, W by ticks."""
    if not noise_dim:
        return NoNoise()
    if not isinstance(stepping, Grid):
        if path is None:
            return TreeAtTicks(TorchTree.at_ticks(stepping.ticks, case, noise_dim))
        return PathAtTicks(case, stepping.ticks, path)
    grid = stepping
    if path is None and case.brownian == "tree":
        return TreeNoise(TorchTree.on(grid, case, noise_dim, levy_area=levy_area))
    if path is None:
        return TorchNoise(case, noise_dim, grid, levy_area=levy_area)
    return InjectedTorchNoise(case, grid, path, levy_area=levy_area)
