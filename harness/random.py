"""Normal numbers from a counter: the same on every machine, framework and version of numpy.

Philox-4x64-10 (Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011) turns a key and a
counter into bits; numpy promises the bits of its bit generators (NEP 19), not the numbers that its distributions make
of them. So the normals are made here, by Box and Muller's transform, which spends a fixed number of bits on each and
therefore allows a jump to any place of the stream. Across machines they agree to the rounding of log, sin and cos.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

_WORDS_PER_COUNT = 4  # 64-bit words that Philox yields for one value of its counter
_MASK = 2**64 - 1


def splitmix(*values: int) -> int:
    """Mix integers into 64 well-spread bits (SplitMix64; Steele, Lea & Flood, OOPSLA 2014)."""
    state = 0
    for value in values:
        state = (state + (value & _MASK) + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state


def normal_rows(*, key: tuple[int, int], stream: int, first: int, rows: int, row_size: int) -> np.ndarray:
    """Rows `first … first + rows − 1` of an endless table of standard normals, float64, (rows, row_size).

    Row i of a (key, stream, row_size) is the same whichever rows are asked for with it.
    """
    return _normals(_words([(first, rows)], key, stream, row_size), row_size)


def normal_rows_at(places: np.ndarray, *, key: tuple[int, int], stream: int, row_size: int) -> np.ndarray:
    """The rows of the same table at these increasing places, int64: (places, row_size)."""
    edges = np.concatenate([[0], np.flatnonzero(np.diff(places) != 1) + 1, [len(places)]])
    runs = zip(places[edges[:-1]].tolist(), np.diff(edges).tolist(), strict=True)
    return _normals(_words(runs, key, stream, row_size), row_size)


def _words(runs: Iterable[tuple[int, int]], key: tuple[int, int], stream: int, row_size: int) -> np.ndarray:
    """The random bits of runs of rows, (first, number) of each, as (rows, 2 pairs): two words make two normals.

    One generator is moved from run to run: to make one takes four times as long.
    """
    pairs = (row_size + 1) // 2
    counts = -(-2 * pairs // _WORDS_PER_COUNT)
    counter = np.array([0, 0, stream, 0], dtype=np.uint64)
    bits = np.random.Philox(key=np.array([k & _MASK for k in key], dtype=np.uint64), counter=counter)
    found: list[np.ndarray] = []
    place = 0
    for first, rows in runs:
        if first != place:
            bits.advance((first - place) * counts)
        raw: np.ndarray = bits.random_raw(rows * counts * _WORDS_PER_COUNT)
        found.append(raw)
        place = first + rows
    return np.concatenate(found).reshape(-1, counts * _WORDS_PER_COUNT)[:, : 2 * pairs]


def _normals(words: np.ndarray, row_size: int) -> np.ndarray:
    rows, pairs = len(words), words.shape[1] // 2
    uniform = ((words >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53  # in (0, 1), never 0 or 1
    radius = np.sqrt(-2.0 * np.log(uniform[:, :pairs]))
    angle = (2.0 * math.pi) * uniform[:, pairs:]
    normals = np.empty((rows, 2 * pairs))
    np.multiply(radius, np.cos(angle), out=normals[:, :pairs])
    np.multiply(radius, np.sin(angle), out=normals[:, pairs:])
    return normals[:, :row_size]


class Normals:
    """A stream of standard normals for what is drawn once: initial values and parameters."""

    def __init__(self, *seeds: int) -> None:
        self._key = (splitmix(*seeds), splitmix(*seeds, 1))
        self._stream = 0

    def __call__(self, *shape: int) -> np.ndarray:
        """The next array of the stream, float64."""
        self._stream += 1
        size = math.prod(shape)
        row = normal_rows(key=self._key, stream=self._stream, first=0, rows=1, row_size=max(size, 1))
        return row[0, :size].reshape(shape)
