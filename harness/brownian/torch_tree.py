"""The virtual Brownian tree for the native PyTorch methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Stretch:
    """`count` cells from cell `low` on, which are node `node` of the tree: W before them, and their W and H."""

    low: int
    count: int
    node: int
    before: Tensor
    W: Tensor
    H: Tensor | None

    def has(self, cell: int) -> bool:
        """Whether a cell is one of these."""
        return self.low <= cell < self.low + self.count


class TorchTree:
    """W on `ticks` cells of [0, span]; `harness.brownian.tree` has the mathematics.

    The cells have one length, or end at `ends`, ticks + 1 numbers from 0 to span. The normals of a node stand at the
    node's own place of a stream.

    The stretches that the last walk came through are held, log2(ticks) of them, and the next walk starts from the
    last one that it shares. So cells in order cost two cuts each, on average. On a GPU nothing is held: what a CUDA
    graph holds must be drawn within it.
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
        self._holds = torch.device(case.device).type == "cpu"
        self._way: list[Stretch] = []

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
        found = self._walk(n, to_cell=True)
        return found.W if found.H is None else (found.W, found.H)

    def at(self, tick: int) -> Float[Tensor, "batch noise_dim"]:
        """W at a tick, zero at the first."""
        return self._whole().W if tick == self._ticks else self._walk(tick, to_cell=False).before

    def forget(self) -> None:
        """Let go of what was drawn."""
        self._way = []

    def _walk(self, n: int, *, to_cell: bool) -> Stretch:
        """A stretch that begins with cell n: the cell itself, or the first that is met."""
        way = self._way if self._holds else []
        while way and not way[-1].has(n):
            way.pop()
        if not way:
            way.append(self._whole())
        while way[-1].count > 1 and (to_cell or way[-1].low != n):
            way.append(self._part(way[-1], n))
        return way[-1]

    def _whole(self) -> Stretch:
        """All cells, node 0 of the normals' stream and 1 of the cuts."""
        W, H = root(self._span, self._normals(0, 2 if self._levy_area else 1))
        return Stretch(0, self._ticks, 1, torch.zeros_like(W), W, H)

    def _part(self, of: Stretch, n: int) -> Stretch:
        """The part with cell n, of the two into which a stretch is cut."""
        low, count, node = of.low, of.count, of.node
        unit = self._piece if count > self._piece else 1
        first = unit * (count // (2 * unit))
        normals = self._normals(node, 4 if self._levy_area else 1)
        left, right = cut(of.W, of.H, *self._lengths(low, first, count), normals)
        if n < low + first:
            return Stretch(low, first, 2 * node, of.before, *left)
        return Stretch(low + first, count - first, 2 * node + 1, of.before + left[0], *right)

    def _lengths(self, low: int, first: int, count: int) -> tuple[float, float]:
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
        self._tree.forget()


class TreeAtTicks:
    """`noise[n]` is W at tick n of a tree."""

    def __init__(self, tree: TorchTree) -> None:
        self._tree = tree

    def __getitem__(self, n: int) -> Float[Tensor, "batch noise_dim"]:
        """W there."""
        return self._tree.at(n)

    def forget(self) -> None:
        """Let go of what was drawn."""
        self._tree.forget()
