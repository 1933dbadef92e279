"""Standard normals for the native PyTorch samplers, on a CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from harness.lazy import lazily
from harness.random import splitmix

if TYPE_CHECKING:
    from harness.brownian import cuda_normals
else:
    (cuda_normals,) = lazily("harness.brownian.cuda_normals")  # needs Triton, which PyTorch for a CPU lacks

_MASK = 2**32 - 1
_STREAMS = 4  # W and H of the steps, and the tree; one is left


class Normals(Protocol):
    """Standard normals, the same whenever a place of a stream is asked for."""

    def __call__(self, stream: int, place: int, *shape: int) -> Tensor:
        """A new tensor of this shape."""
        ...


class TorchNormals:
    """`normals(stream, place, *shape)`: standard normals, the same whenever that place of that stream is asked for.

    torch's generator of a CPU is seeded for each draw; `docs/decisions/0006-seeded-draws.md` has the reasons.
    """

    def __init__(self, seed: int, dtype: torch.dtype, device: torch.device) -> None:
        self._shift = splitmix(seed)
        self._dtype = dtype
        self._device = device
        self._generator = torch.Generator(device)

    def __call__(self, stream: int, place: int, *shape: int) -> Tensor:
        """A new tensor of this shape. `stream` is below 4, `place` below 2**30."""
        self._generator.manual_seed(self.seed_of(stream, place))
        return torch.randn(shape, generator=self._generator, dtype=self._dtype, device=self._device)

    def seed_of(self, stream: int, place: int) -> int:
        """32 bits, of which no two draws have the same: torch's generator of a CPU reads no more of a seed.

        Drawn at random, those of a long solve would meet. So the draws are numbered, the numbers shifted by what the
        case's seed gives, and mixed by a bijection: the last step of MurmurHash3 (Austin Appleby, 2011).
        """
        x = (self._shift + _STREAMS * place + stream) & _MASK
        x = ((x ^ (x >> 16)) * 0x85EBCA6B) & _MASK
        x = ((x ^ (x >> 13)) * 0xC2B2AE35) & _MASK
        return x ^ (x >> 16)


def make_normals(seed: int, dtype: torch.dtype, device: torch.device) -> Normals:
    """`normals(stream, place, *shape)` for a device: on CUDA by a kernel that a CUDA graph may hold."""
    if device.type != "cuda":
        return TorchNormals(seed, dtype, device)
    return cuda_normals.CudaNormals(seed, dtype, device)
