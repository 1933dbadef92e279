"""Brownian increments for the native PyTorch methods: O(1) memory, any step at any time."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.random import splitmix

CHUNK_NUMBERS = 2**13  # about as many are drawn together: enough to hide the cost of a draw, little to hold


class TorchNoise:
    """`noise[n]` is dW of step n, (batch, noise_dim).

    Drawn by a counter-based generator keyed by the step (Philox: numpy's on a CPU, torch's on a GPU), a chunk of
    steps at a time, one chunk being held. A backward pass so redraws what the forward pass drew.
    """

    def __init__(self, case: Case, noise_dim: int, dt: float) -> None:
        count = max(1, CHUNK_NUMBERS // (case.batch * noise_dim))
        self._shape = (count, case.batch, noise_dim)
        self._seed = case.seed
        self._dtype = getattr(torch, case.dtype)
        self._device = torch.device(case.device)
        self._scale = dt**0.5
        self._index = -1
        self._chunk: tuple[Tensor, ...] = ()

    def __getitem__(self, n: int) -> Tensor:
        """dW of step n."""
        index, place = divmod(n, self._shape[0])
        if index != self._index:
            self._chunk = ()  # lets go of the old chunk before the new one is made
            self._chunk = self._draw(index).mul_(self._scale).unbind()
            self._index = index
        return self._chunk[place]

    def _draw(self, index: int) -> Tensor:
        """Standard normals of the chunk `index`, (steps of a chunk, batch, noise_dim)."""
        if self._device.type == "cpu":
            bits = np.random.Philox(key=np.array([self._seed, 0], dtype=np.uint64), counter=[0, 0, index, 0])
            dtype = np.float32 if self._dtype == torch.float32 else np.float64
            return torch.from_numpy(np.random.Generator(bits).standard_normal(self._shape, dtype=dtype))
        generator = torch.Generator(self._device)
        generator.manual_seed(splitmix(self._seed, index) >> 1)
        return torch.randn(self._shape, generator=generator, dtype=self._dtype, device=self._device)


class InjectedTorchNoise:
    """The shared path, all its increments held: `noise[n]` is dW of step n."""

    def __init__(self, case: Case, path: SharedPath) -> None:
        W, _ = path.increments(case.steps)
        self._W = torch.from_numpy(W).to(device=case.device, dtype=getattr(torch, case.dtype)).unbind()

    def __getitem__(self, n: int) -> Tensor:
        """dW of step n."""
        return self._W[n]


class NoNoise:
    """For ODEs."""

    def __getitem__(self, n: int) -> None:
        """There is none."""


Noise = TorchNoise | InjectedTorchNoise | NoNoise


def make_noise(case: Case, noise_dim: int, dt: float, path: SharedPath | None) -> Noise:
    """The increments that the case asks for."""
    if not noise_dim:
        return NoNoise()
    return TorchNoise(case, noise_dim, dt) if path is None else InjectedTorchNoise(case, path)
