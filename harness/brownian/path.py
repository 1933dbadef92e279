"""The shared path: one Brownian sample that every grid, framework and library sees alike.

A dyadic refinement. The interval is cut into `odd` equal pieces (1 where the number of steps is a power of two), and
each piece is halved again and again. Every piece of length h holds the increment W ~ N(0, h) and the space–time Lévy
area H = (1/h) ∫ (W_s − (s/h) W) ds ~ N(0, h/12), independent of it (Foster, Lyons & Oberhauser, "An optimal polynomial
approximation of Brownian motion", SIAM J. Numer. Anal. 2020, definition 3.2).

Halving. Let W_l, H_l, W_r, H_r belong to the halves, D = W_l − W_r, S = H_l + H_r, T = H_l − H_r. Then W = W_l + W_r
and H = D/4 + S/2, where D ~ N(0, h), S, T ~ N(0, h/12) are independent. Given (W, H): E[D] = 3H with variance
h − (h/4)²/(h/12) = h/4, S = 2H − D/2, and T is free. So, with independent standard normals X, Y:

    D = 3H + (√h / 2) X,   S = H/2 − (√h / 4) X,   T = √(h/12) Y.

The normals of a piece come from a counter-based generator at the place (level, index), so that any stretch of any grid
is had without the rest: memory is that of the stretch asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.random import normal_rows, splitmix


@dataclass(frozen=True)
class SharedPath:
    """A Brownian sample of `batch` × `noise_dim` on [t0, t1], known by its seed.

    Grids whose numbers of steps have the same odd part see the same sample: 3, 6, 12, …, or all powers of two.
    """

    seed: int
    batch: int
    noise_dim: int
    t0: float = 0.0
    t1: float = 1.0

    def increments(self, steps: int, start: int = 0, stop: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """W and H of steps `start … stop − 1` of a grid of `steps`, float64, each (stop − start, batch, noise_dim)."""
        stop = steps if stop is None else stop
        if not 0 <= start < stop <= steps:
            raise ValueError(f"steps {start} to {stop} of a grid of {steps}")
        levels = (steps & -steps).bit_length() - 1
        odd = steps >> levels
        first, last = start >> levels, (stop - 1) >> levels
        h = (self.t1 - self.t0) / odd
        normals = self._normals(odd, 0, first, last + 1)
        W = math.sqrt(h) * normals[:, 0]
        H = math.sqrt(h / 12) * normals[:, 1]
        for level in range(1, levels + 1):
            normals = self._normals(odd, level, first, last + 1)
            W, H = _halve(W, H, h, normals)
            h /= 2
            # Keep what covers the stretch: pieces 2·first … 2·last + 1 of this level, less one at either end perhaps.
            new_first, new_last = start >> (levels - level), (stop - 1) >> (levels - level)
            keep = slice(new_first - 2 * first, new_last + 1 - 2 * first)
            W, H = W[keep], H[keep]
            first, last = new_first, new_last
        return W, H

    def total(self) -> np.ndarray:
        """W(t1) − W(t0), (batch, noise_dim), of the grids whose number of steps is a power of two."""
        return self.increments(1)[0][0]

    def _normals(self, odd: int, level: int, first: int, stop: int) -> np.ndarray:
        """(stop − first, 2, batch, noise_dim) standard normals for pieces of a level."""
        size = 2 * self.batch * self.noise_dim
        rows = normal_rows(
            key=(self.seed, splitmix(self.seed, odd)),
            stream=level,
            first=first,
            rows=stop - first,
            row_size=size,
        )
        return rows.reshape(stop - first, 2, self.batch, self.noise_dim)


def _halve(W: np.ndarray, H: np.ndarray, h: float, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """W and H of the halves, in their order, of pieces of length h."""
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
