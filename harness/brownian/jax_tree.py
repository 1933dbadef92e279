"""The virtual Brownian tree for the native JAX methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key, UInt

from harness.brownian.jax_normals import standard_normals
from harness.brownian.tree import cut, levels, odd_part, root
from harness.case import Case
from harness.grid import Grid
from harness.scheme import Noise
from harness.stepping.ticks import Ticks

_W: TypeAlias = Float[Array, "batch noise_dim"]
_Walk: TypeAlias = tuple[Int[Array, ""], Int[Array, ""], UInt[Array, ""], _W, _W, _W | None]
"""On the way down: the first cell and the number of cells below a node, its number, W before it, its own W and H."""


@dataclass(frozen=True)
class JaxTree:
    """W on `ticks` cells of [0, span], known by a key; `harness.brownian.tree` has the mathematics.

    The cells have one length, or end at `ends`, an array of ticks + 1 numbers from 0 to span. The normals of a node are
    drawn by Threefry, the key folded with the node's number. Cells and ticks may be traced.
    """

    key: Key[Array, ""]
    shape: tuple[int, int]
    dtype: str
    ticks: int
    span: float
    levy_area: bool = False
    ends: Float[Array, " ends"] | None = None

    @classmethod
    def of(
        cls, key: Key[Array, ""], case: Case, noise_dim: int, ticks: int, span: float, *, levy_area: bool = False
    ) -> JaxTree:
        """With cells of one length."""
        return cls(key, (case.batch, noise_dim), case.dtype, ticks, span, levy_area)

    @classmethod
    def on(cls, grid: Grid, key: Key[Array, ""], case: Case, noise_dim: int, *, levy_area: bool = False) -> JaxTree:
        """With the steps of a grid as cells."""
        ends = None if grid.equal_step is not None else jnp.asarray(grid.times - grid.t0, case.dtype)
        span = grid.t1 - grid.t0
        return cls(key, (case.batch, noise_dim), case.dtype, grid.steps, span, levy_area, ends)

    @classmethod
    def at_ticks(cls, ticks: Ticks, key: Key[Array, ""], case: Case, noise_dim: int) -> JaxTree:
        """With a cell between neighbouring ticks."""
        ends = None if ticks.equal else jnp.asarray(ticks.elapsed_times(), case.dtype)
        return cls(key, (case.batch, noise_dim), case.dtype, ticks.count, ticks.span, ends=ends)

    def cells(self, n: Int[Array, " count"]) -> Noise[Array]:
        """dW of cells n, (count, batch, noise_dim), or the pair (dW, H). No cell beyond the last: its own."""
        _, W, H = jax.vmap(self._walk)(jnp.clip(n, 0, self.ticks - 1))
        return W if H is None else (W, H)

    def at(self, tick: Int[Array, ""] | int) -> Float[Array, "batch noise_dim"]:
        """W at a tick, zero at the first."""
        before, W, _ = self._walk(jnp.minimum(tick, self.ticks - 1))
        return jnp.where(tick == self.ticks, before + W, before)

    def _walk(self, n: Int[Array, ""]) -> tuple[_W, _W, _W | None]:
        """W before cell n, and its W and H."""
        piece = self.ticks // odd_part(self.ticks)

        def descend(_: Int[Array, ""], carry: _Walk) -> _Walk:
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

    def _stretch(
        self, low: Int[Array, ""], first: Int[Array, ""], count: Int[Array, ""]
    ) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """The length of `count` cells from cell `low` on, and which part of it the first of them take."""
        if self.ends is None:
            return (
                self.span / self.ticks * count.astype(self.dtype),
                first.astype(self.dtype) / count.astype(self.dtype),
            )
        start, middle, stop = (self.ends[tick] for tick in (low, low + first, low + count))
        return stop - start, (middle - start) / (stop - start)

    def _normals(self, node: UInt[Array, ""] | int, rows: int) -> Float[Array, "rows batch noise_dim"]:
        """Standard normals of a node. The whole interval is node 0, the cuts are 1, 2, …"""
        batch, noise_dim = self.shape
        normals = standard_normals(jax.random.fold_in(self.key, node), rows * batch * noise_dim, self.dtype)
        return normals.reshape(rows, batch, noise_dim)
