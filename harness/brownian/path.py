"""The shared path: one Brownian sample that every grid, framework and library sees alike.

A dyadic refinement. The interval is halved again and again, `LEVELS` times. Every cell of length h holds the increment
W ~ N(0, h) and the space–time Lévy area H = (1/h) ∫ (W_s − (s/h) W) ds ~ N(0, h/12), independent of it (Foster, Lyons &
Oberhauser, "An optimal polynomial approximation of Brownian motion", SIAM J. Numer. Anal. 2020, definition 3.2).

Halving. Let W_l, H_l, W_r, H_r belong to the halves, D = W_l − W_r, S = H_l + H_r, T = H_l − H_r. Then W = W_l + W_r
and H = D/4 + S/2, where D ~ N(0, h), S, T ~ N(0, h/12) are independent. Given (W, H): E[D] = 3H with variance
h − (h/4)²/(h/12) = h/4, S = 2H − D/2, and T is free. So, with independent standard normals X, Y:

    D = 3H + (√h / 2) X,   S = H/2 − (√h / 4) X,   T = √(h/12) Y.

Any stretch of time. After `LEVELS` halvings a cell that has a time in its interior is cut there, at the fraction r of
its length, by `harness.brownian.tree.cut`. A stretch between two times is then a union of pieces, the largest that fit.
If piece j has length h_j and what follows it in a stretch of length h has length l_j, the stretch has

    W = Σ W_j,   h H = Σ h_j H_j + Σ (h_j / 2 + l_j − h / 2) W_j,

since h (W/2 + H) is the integral of the path over the stretch, less its value at the start. So W is a function of time,
and every grid that doesn't have two times in one of the smallest cells sees increments with the law of Brownian motion.

The normals of a cell come from a counter-based generator at the place (level, index). Any stretch can therefore be
computed without the rest, and needs memory for that stretch alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.brownian.tree import cut
from harness.grid import Grid
from harness.random import normal_rows_at, splitmix

LEVELS = 20
ROUNDED = 16 * np.finfo(np.float64).eps
"""How far a time may be from the end of a cell to be that end, relative to the largest time."""


@dataclass(frozen=True)
class SharedPath:
    """A Brownian sample of `batch` × `noise_dim` on [t0, t1], known by its seed."""

    seed: int
    batch: int
    noise_dim: int
    t0: float = 0.0
    t1: float = 1.0

    def increments(self, steps: int, start: int = 0, stop: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """W and H of steps `start … stop − 1` of `steps` equal ones, float64, each (stop − start, batch, noise_dim)."""
        stop = steps if stop is None else stop
        if not 0 <= start < stop <= steps:
            raise ValueError(f"steps {start} to {stop} of a grid of {steps}")
        return self._over(np.arange(start, stop + 1) / steps)

    def between(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """W and H from each of these increasing times to the next, float64, each (times − 1, batch, noise_dim).

        Raises ValueError where times are outside of [t0, t1], or nearer to each other than about 2^−LEVELS of it.
        """
        span = self.t1 - self.t0
        places = (np.asarray(times, dtype=np.float64) - self.t0) / span
        nodes = np.round(places * 2**LEVELS) / 2**LEVELS
        rounding = ROUNDED * max(abs(self.t0), abs(self.t1), span) / span
        return self._over(np.where(abs(places - nodes) <= rounding, nodes, places))

    def total(self) -> np.ndarray:
        """W(t1) − W(t0), (batch, noise_dim)."""
        return self.increments(1)[0][0]

    def _over(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """W and H between neighbouring places, which are fractions of the interval."""
        if len(places) < 2 or (np.diff(places) <= 0).any() or places[0] < 0 or places[-1] > 1:
            raise ValueError(f"a path on [{self.t0:g}, {self.t1:g}] needs two or more increasing times within it")
        found = _Stretches(places, (self.batch, self.noise_dim))
        h = self.t1 - self.t0
        cells = np.zeros(1, dtype=np.int64)
        normals = self._normals(0, cells, 2)
        W, H = math.sqrt(h) * normals[:, 0], math.sqrt(h / 12) * normals[:, 1]
        for level in range(LEVELS + 1):
            size = 2.0**-level
            split = ~found.take(cells * size, size, W, H)
            cells, W, H = cells[split], W[split], H[split]
            if not len(cells) or level == LEVELS:
                break
            W, H = _halve(W, H, h, self._normals(level + 1, cells, 2))
            cells = np.stack([2 * cells, 2 * cells + 1], axis=1).ravel()
            inside = (cells + 1) * (size / 2) > places[0]
            inside &= cells * (size / 2) < places[-1]
            cells, W, H = cells[inside], W[inside], H[inside]
            h /= 2
        if len(cells):
            self._cut(found, cells, W, H, h)
        return found.W, found.H

    def _cut(self, found: _Stretches, cells: np.ndarray, W: np.ndarray, H: np.ndarray, h: float) -> None:
        """Cut the smallest cells, of length h, at the places in their interior."""
        size = 2.0**-LEVELS
        first = cells * size
        where = found.after(first)
        r = ((where - first) / size)[:, None, None]
        normals = self._normals(LEVELS + 1, cells, 4)
        (W_l, H_l), (W_r, H_r) = cut(W, H, h, r, normals.swapaxes(0, 1))
        for begin, length, W_part, H_part in (
            (first, where - first, W_l, H_l),
            (where, first + size - where, W_r, H_r),
        ):
            inside = found.take(begin, length, W_part, H_part)
            outside = (begin >= found.last) | (begin + length <= found.first)
            if not (inside | outside).all():
                raise ValueError(f"times of the path are nearer to each other than 2^-{LEVELS} of its interval")

    def _normals(self, level: int, cells: np.ndarray, count: int) -> np.ndarray:
        """(cells, count, batch, noise_dim) standard normals of the cells of a level."""
        size = count * self.batch * self.noise_dim
        rows = normal_rows_at(cells, key=(self.seed, splitmix(self.seed, 1)), stream=level, row_size=size)
        return rows.reshape(len(cells), count, self.batch, self.noise_dim)


def increments_on(path: SharedPath, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """W and H of every step of a grid, float64, each (steps, batch, noise_dim)."""
    return path.increments(grid.steps) if grid.equal_step is not None else path.between(grid.times)


class _Stretches:
    """W and H of the stretches between neighbouring `places`, to which pieces of the path are added."""

    def __init__(self, places: np.ndarray, shape: tuple[int, int]) -> None:
        self._places = places
        self.first, self.last = places[0], places[-1]
        self.W = np.zeros((len(places) - 1, *shape))
        self.H = np.zeros_like(self.W)

    def after(self, first: np.ndarray) -> np.ndarray:
        """The first place after each of these."""
        return self._places[np.searchsorted(self._places, first, side="right")]

    def take(self, first: np.ndarray, length: np.ndarray | float, W: np.ndarray, H: np.ndarray) -> np.ndarray:
        """Add the pieces, in increasing order, that lie within one stretch; say which these are."""
        stretch = np.searchsorted(self._places, first, side="right") - 1
        whole = (stretch >= 0) & (stretch < len(self._places) - 1)
        stop = self._places[np.minimum(stretch + 1, len(self._places) - 1)]
        whole &= first + length <= stop
        if not whole.any():
            return whole
        length = np.broadcast_to(length, whole.shape)[whole]
        stretch, stop, last = stretch[whole], stop[whole], first[whole] + length
        h = stop - self._places[stretch]
        of_W, of_H = ((length / 2 + (stop - last) - h / 2) / h)[:, None, None], (length / h)[:, None, None]
        starts = np.flatnonzero(np.diff(stretch, prepend=-1))
        into = stretch[starts]
        self.W[into] += np.add.reduceat(W[whole], starts)
        self.H[into] += np.add.reduceat(of_H * H[whole] + of_W * W[whole], starts)
        return whole


def _halve(W: np.ndarray, H: np.ndarray, h: float, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """W and H of the halves, in their order, of cells of length h."""
    X, Y = normals[:, 0], normals[:, 1]
    D = 3 * H + (math.sqrt(h) / 2) * X
    S = H / 2 - (math.sqrt(h) / 4) * X
    T = math.sqrt(h / 12) * Y
    halves_W = np.stack([(W + D) / 2, (W - D) / 2], axis=1)
    halves_H = np.stack([(S + T) / 2, (S - T) / 2], axis=1)
    return halves_W.reshape(-1, *W.shape[1:]), halves_H.reshape(-1, *H.shape[1:])


def coarsen(W: np.ndarray, H: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Chen's relation: W and H of pairs of neighbouring steps of equal length, from those of the steps."""
    left, right = W[0::2], W[1::2]
    return left + right, (left - right) / 4 + (H[0::2] + H[1::2]) / 2
