"""The virtual Brownian tree for the native JAX methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from harness.brownian.jax_normals import standard_normals
from harness.brownian.tree import cut, levels, odd_part, root
from harness.case import Case
from harness.grid import Grid


@dataclass(frozen=True)
class JaxTree:
    """W on `ticks` cells of [0, span], known by a key; `harness.brownian.tree` has the mathematics.

    The cells have one length, or end at `ends`, an array of ticks + 1 numbers from 0 to span. The normals of a node are
    drawn by Threefry, the key folded with the node's number. Cells and ticks may be traced.
    """

    key: Any
    shape: tuple[int, int]
    dtype: str
    ticks: int
    span: float
    levy_area: bool = False
    ends: Any = None

    @classmethod
    def of(cls, key: Any, case: Case, noise_dim: int, ticks: int, span: float, *, levy_area: bool = False) -> JaxTree:
        """With cells of one length."""
        return cls(key, (case.batch, noise_dim), case.dtype, ticks, span, levy_area)

    @classmethod
    def on(cls, grid: Grid, key: Any, case: Case, noise_dim: int, *, levy_area: bool = False) -> JaxTree:
        """With the steps of a grid as cells."""
        ends = None if grid.equal_step is not None else jnp.asarray(grid.times - grid.t0, case.dtype)
        span = grid.t1 - grid.t0
        return cls(key, (case.batch, noise_dim), case.dtype, grid.steps, span, levy_area, ends)

    def cells(self, n: Any) -> Any:
        """dW of cells n, (count,): (count, batch, noise_dim), or the pair (dW, H). No cell beyond the last: its own."""
        _, W, H = jax.vmap(self._walk)(jnp.clip(n, 0, self.ticks - 1))
        return (W, H) if self.levy_area else W

    def at(self, tick: Any) -> Any:
        """W at a tick, (batch, noise_dim), zero at the first."""
        before, W, _ = self._walk(jnp.minimum(tick, self.ticks - 1))
        return jnp.where(tick == self.ticks, before + W, before)

    def _walk(self, n: Any) -> tuple[Any, Any, Any]:
        """W before cell n, and its W and H."""
        piece = self.ticks // odd_part(self.ticks)

        def descend(_: Any, carry: Any) -> Any:
            low, count, node, before, W, H = carry
            unit = jnp.where(count > piece, piece, 1)
            first = unit * (count // (2 * unit))
            h, r = self._stretch(low, first, count)
            # A cell that lies less deep than others has nothing left: its right part is itself.
            left, right = cut(W, H, h, r, self._normals(node, 4 if self.levy_area else 1))
            goes_left = n < low + first
            W, H = jax.tree.map(lambda x, y: jnp.where(goes_left, x, y), left, right)
            return (
                jnp.where(goes_left, low, low + first),
                jnp.where(goes_left, first, count - first),
                2 * node + jnp.where(goes_left, 0, 1),
                jnp.where(goes_left, before, before + left[0]),
                W,
                H,
            )

        W, H = root(self.span, self._normals(0, 2 if self.levy_area else 1))
        carry = (jnp.int32(0), jnp.int32(self.ticks), jnp.uint32(1), jnp.zeros_like(W), W, H)
        *_, before, W, H = jax.lax.fori_loop(0, levels(self.ticks), descend, carry)
        return before, W, H

    def _stretch(self, low: Any, first: Any, count: Any) -> tuple[Any, Any]:
        """The length of `count` cells from cell `low` on, and which part of it the first of them take."""
        if self.ends is None:
            return (
                self.span / self.ticks * count.astype(self.dtype),
                first.astype(self.dtype) / count.astype(self.dtype),
            )
        start, middle, stop = (self.ends[tick] for tick in (low, low + first, low + count))
        return stop - start, (middle - start) / (stop - start)

    def _normals(self, node: Any, rows: int) -> Any:
        """Standard normals of a node, (rows, batch, noise_dim). The whole interval is node 0, the cuts are 1, 2, …"""
        batch, noise_dim = self.shape
        normals = standard_normals(jax.random.fold_in(self.key, node), rows * batch * noise_dim, self.dtype)
        return normals.reshape(rows, batch, noise_dim)
