"""Memory of a call: the allocator's own high-water mark, and what stays allocated after it."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.lazy import lazily
from harness.measuring.allocator import allocated_bytes

if TYPE_CHECKING:
    import jax
    import memray
    import torch
else:
    jax, memray, torch = lazily("jax", "memray", "torch")

HALF_CALLS, HALF_SECONDS = 10, 2.0
"""What calls retain is measured in two halves of so many calls each: fewer where they take longer, at least one."""
ARENA_BYTES, ARENAS, SMALL = 2**20, 2, 256
"""Of Python's allocator of small objects: the size of an arena, how many are made ready, and bytes of one object."""
LONGEST_SECONDS = 5.0
"""What a longer call retains isn't measured."""


def peak_bytes_cpu(call: Callable[[], object]) -> int:
    """The most bytes that `call` had allocated at once, above what was there before it.

    memray's tracker intercepts malloc, mmap and their kin in the process, so that torch and XLA are measured by one
    technique, to the byte. (The resident set can't tell: an allocator keeps freed pages.)
    """
    gc.collect()
    room = _room_for_small_objects()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "allocations.bin"
        with memray.Tracker(path, file_format=memray.FileFormat.AGGREGATED_ALLOCATIONS):
            call()
        del room
        reader = memray.FileReader(path)
        try:
            return int(reader.metadata.peak_memory)
        finally:
            reader.close()


def _room_for_small_objects() -> list[bytes]:
    """Make room for Python's own small objects, which stays as long as the result is held.

    Python takes memory for them from the system in arenas of 1 MiB. Whether a call needs a new one depends on what was
    there before, so that its peak would sometimes be 1 MiB larger. An object in each of a few new arenas keeps their
    free parts with the process.
    """
    small = [bytes(SMALL) for _ in range(ARENAS * ARENA_BYTES // SMALL)]
    return small[:: ARENA_BYTES // SMALL // 2]


def peak_bytes_cuda(call: Callable[[], object], framework: str) -> int | None:
    """The most bytes of the device that `run` had allocated at once, above what was there before; None if unknown.

    PyTorch's allocator has a high-water mark that can be reset. That of JAX can't, so that it would show the first call
    and what compiling took; XLA's plan for the compiled gradient, which is what it allocates, stands in for it.
    """
    if framework == "torch":
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        call()
        torch.cuda.synchronize()
        return int(torch.cuda.max_memory_allocated() - before)
    return None


def retained_bytes(call: Callable[[], object], in_use: Callable[[], int | None], call_seconds: float) -> float | None:
    """The bytes that stay allocated after a call: the smaller of two means, each over half of the calls.

    A leak shows in both halves; what is allocated once, such as a larger table of a cache, in one only. The caller has
    called before, so that caches are filled. `in_use` counts the allocated bytes, as `in_use_cpu` does. `call_seconds`
    is about how long a call takes. None where a call takes too long or where the bytes can't be counted.
    """
    if call_seconds > LONGEST_SECONDS:
        return None
    calls = max(1, min(HALF_CALLS, int(HALF_SECONDS / max(call_seconds, 1e-6))))
    counts = [in_use()]
    for _ in range(2):
        for _ in range(calls):
            call()
        counts.append(in_use())
    first, middle, last = counts
    if first is None or middle is None or last is None:
        return None
    return min(middle - first, last - middle) / calls


def in_use_cpu() -> int | None:
    """The bytes that the process has allocated, after the collection of what is unreachable."""
    gc.collect()
    return allocated_bytes()


def in_use_cuda(framework: str) -> int | None:
    """The bytes of the device that the framework's allocator has given out; None where the framework has none."""
    gc.collect()
    if framework == "torch":
        torch.cuda.synchronize()
        return int(torch.cuda.memory_allocated())
    if framework == "jax":
        return (jax.devices("gpu")[0].memory_stats() or {}).get("bytes_in_use")
    return None
