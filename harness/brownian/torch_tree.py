"""The virtual Brownian tree for the native PyTorch methods."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from harness.brownian.torch_normals import make_normals
from harness.brownian.tree import cut, odd_part, root
from harness.case import Case
from harness.grid import Grid
from harness.stepping.ticks import Ticks

Drawn = Tensor | tuple[Tensor, Tensor]
"""The noise of a step: dW, (batch, noise_dim), or the pair (dW, H) where the scheme needs the space–time Lévy area."""
STREAM = 2
"""Of the normals': 0 and 1 are those of the sampler that draws by the step."""


class TorchTree:
    """W on `ticks` cells of [0, span]; `harness.brownian.tree` has the mathematics. It holds nothing.

    The cells have one length, or end at `ends`, ticks + 1 numbers from 0 to span. The normals of a node stand at the
    node's own place of a stream.
    """

    def __init__(
        self,
        case: Case,
        noise_dim: int,
        ticks: int,
        span: float,
        *,
        levy_area: bool = False,
        ends: Sequence[float] | None = None,
    ) -> None:
        self._ticks = ticks
        self._span = span
        self._ends = ends
        self._levy_area = levy_area
        self._shape = (case.batch, noise_dim)
        self._draw = make_normals(case.seed, getattr(torch, case.dtype), torch.device(case.device))
        self._piece = ticks // odd_part(ticks)

    @classmethod
    def on(cls, grid: Grid, case: Case, noise_dim: int, *, levy_area: bool = False) -> TorchTree:
        """With the steps of a grid as cells."""
        ends = None if grid.equal_step is not None else (grid.times - grid.t0).tolist()
        return cls(case, noise_dim, grid.steps, grid.t1 - grid.t0, levy_area=levy_area, ends=ends)

    @classmethod
    def at_ticks(cls, ticks: Ticks, case: Case, noise_dim: int) -> TorchTree:
        """With a cell between neighbouring ticks."""
        ends = None if ticks.equal else ticks.elapsed_times().tolist()
        return cls(case, noise_dim, ticks.count, ticks.span, ends=ends)

    def cell(self, n: int) -> Drawn:
        """dW of cell n, or the pair (dW, H)."""
        _, W, H = self._walk(n)
        return W if H is None else (W, H)

    def at(self, tick: int) -> Float[Tensor, "batch noise_dim"]:
        """W at a tick, zero at the first."""
        before, W, _ = self._walk(min(tick, self._ticks - 1))
        return before + W if tick == self._ticks else before

    def _walk(self, n: int) -> tuple[Tensor, Tensor, Tensor | None]:
        """W before cell n, and its W and H."""
        W, H = root(self._span, self._normals(0, 2 if self._levy_area else 1))
        before = torch.zeros_like(W)
        low, count, node = 0, self._ticks, 1
        while count > 1:
            unit = self._piece if count > self._piece else 1
            first = unit * (count // (2 * unit))
            normals = self._normals(node, 4 if self._levy_area else 1)
            left, right = cut(W, H, *self._stretch(low, first, count), normals)
            if n < low + first:
                (W, H), count, node = left, first, 2 * node
            else:
                before = before + left[0]
                (W, H), count, node, low = right, count - first, 2 * node + 1, low + first
        return before, W, H

    def _stretch(self, low: int, first: int, count: int) -> tuple[float, float]:
        """The length of `count` cells from cell `low` on, and which part of it the first of them take."""
        if self._ends is None:
            return self._span * count / self._ticks, first / count
        start, middle, stop = (self._ends[tick] for tick in (low, low + first, low + count))
        return stop - start, (middle - start) / (stop - start)

    def _normals(self, node: int, rows: int) -> Float[Tensor, "rows batch noise_dim"]:
        """Standard normals of a node. The whole interval is node 0, the cuts are 1, 2, …"""
        return self._draw(STREAM, node, rows, *self._shape)


class TreeNoise:
    """`noise[n]` is what drives step n, from a tree whose cells are the steps. The last one asked for is held."""

    def __init__(self, tree: TorchTree) -> None:
        self._tree = tree
        self._held: tuple[int, Drawn | None] = (-1, None)

    def __getitem__(self, n: int) -> Drawn:
        """The noise of step n: dW, or the pair (dW, H)."""
        index, held = self._held
        if index != n or held is None:
            held = self._tree.cell(n)
            self._held = (n, held)
        return held

    def forget(self) -> None:
        """Let go of what was drawn."""
        self._held = (-1, None)
