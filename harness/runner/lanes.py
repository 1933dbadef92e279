"""Lanes of cores: what isn't timed in turn goes side by side."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from harness.case import Case

CUDA_LANES = 8
"""Children that build side by side on one CUDA device, whose kernels the compilers try out while they build."""
T = TypeVar("T")
R = TypeVar("R")


def lanes_for(case: Case, cores: int) -> int:
    """As many children as the cores allow, and the device."""
    lanes = max(1, cores // case.threads)
    return min(lanes, CUDA_LANES) if case.device == "cuda" else lanes


class Lanes:
    """What isn't timed in turn may go side by side, a lane of cores each: building, memory and errors."""

    def __init__(self, count: int) -> None:
        self._free: queue.SimpleQueue[int] = queue.SimpleQueue()
        for lane in range(count):
            self._free.put(lane)
        self._pool = ThreadPoolExecutor(count)

    def map(self, function: Callable[[T, int], R], items: Iterable[T]) -> Iterator[R]:
        """`function(item, lane)` of every item, each as soon as it is known."""

        def in_a_lane(item: T) -> R:
            lane = self._free.get()
            try:
                return function(item, lane)
            finally:
                self._free.put(lane)

        for future in as_completed([self._pool.submit(in_a_lane, item) for item in items]):
            yield future.result()

    def close(self) -> None:
        """Start nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
