"""Standard normals on a CUDA device: one kernel a draw, which a CUDA graph may hold."""

# Triton, which PyTorch for CUDA comes with, compiles the functions below from their source and has no types for them.
# pyright: reportMissingImports=false, reportIndexIssue=false

from __future__ import annotations

import math

import torch
import triton
import triton.language as tl
from torch import Tensor

from harness.random import splitmix

BLOCK = 512
"""Counters that one program of a kernel takes."""


@triton.jit
def _fill_float32(out, count, key, BLOCK: tl.constexpr):
    """Four normals of each counter, from its four words."""
    counter = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    quarter = tl.cdiv(count, 4)
    first, second, third, fourth = tl.randn4x(key, counter)
    inside = counter < quarter
    tl.store(out + counter, first, mask=inside)
    tl.store(out + quarter + counter, second, mask=inside & (quarter + counter < count))
    tl.store(out + 2 * quarter + counter, third, mask=inside & (2 * quarter + counter < count))
    tl.store(out + 3 * quarter + counter, fourth, mask=inside & (3 * quarter + counter < count))


@triton.jit
def _unit(high, low):
    """A float64 in (0, 1) from two words of 32 bits: 53 of their bits, and a half."""
    bits = (high.to(tl.uint32, bitcast=True).to(tl.uint64) << 21) | (
        low.to(tl.uint32, bitcast=True).to(tl.uint64) >> 11
    )
    return (bits.to(tl.float64) + 0.5) * 1.1102230246251565e-16


@triton.jit
def _fill_float64(out, count, key, BLOCK: tl.constexpr, TURN: tl.constexpr):
    """Two normals of each counter, by Box and Muller's transform."""
    counter = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    half = tl.cdiv(count, 2)
    a, b, c, d = tl.randint4x(key, counter)
    radius, angle = tl.sqrt(-2.0 * tl.log(_unit(a, b))), TURN * _unit(c, d)
    inside = counter < half
    tl.store(out + counter, radius * tl.cos(angle), mask=inside)
    tl.store(out + half + counter, radius * tl.sin(angle), mask=inside & (half + counter < count))


class CudaNormals:
    """`normals(stream, place, *shape)`: standard normals, the same whenever that place of that stream is asked for.

    Philox-4x32-10 (Salmon, Moraes, Dror & Shaw, SC 2011) as Triton has it, with a key for each draw. torch's own
    generator can't be seeded anew within a CUDA graph, and a backward sweep must draw again what the forward one drew.
    """

    def __init__(self, seed: int, dtype: torch.dtype, device: torch.device) -> None:
        self._seed = seed
        self._kind = {"dtype": dtype, "device": device}
        self._double = dtype == torch.float64

    def __call__(self, stream: int, place: int, *shape: int) -> Tensor:
        """A new tensor of this shape."""
        out = torch.empty(shape, **self._kind)
        count, key = out.numel(), self.key_of(stream, place)
        if self._double:
            _fill_float64[(triton.cdiv(count, 2 * BLOCK),)](out, count, key, BLOCK, 2 * math.pi)
        else:
            _fill_float32[(triton.cdiv(count, 4 * BLOCK),)](out, count, key, BLOCK)
        return out

    def key_of(self, stream: int, place: int) -> int:
        """63 bits, the highest of them set: every key is one type of number to Triton, which compiles by type."""
        return splitmix(self._seed, stream, place) >> 2 | 2**62
