"""Peak memory of one run: the allocator's own high-water mark."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable
from pathlib import Path


def peak_bytes_cpu(run: Callable[[], object]) -> int:
    """The most bytes that `run` had allocated at once, above what was there before it.

    memray's tracker intercepts malloc, mmap and their kin in the process, so that torch and XLA are measured by one
    technique, to the byte. (The resident set can't tell: an allocator keeps freed pages.)
    """
    import memray

    gc.collect()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "allocations.bin"
        with memray.Tracker(path, file_format=memray.FileFormat.AGGREGATED_ALLOCATIONS):
            run()
        reader = memray.FileReader(path)
        try:
            return int(reader.metadata.peak_memory)
        finally:
            reader.close()


def peak_bytes_cuda(run: Callable[[], object], framework: str) -> int | None:
    """The device allocator's high-water mark above what was there before; None where the framework has none."""
    if framework == "torch":
        import torch

        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        run()
        torch.cuda.synchronize()
        return int(torch.cuda.max_memory_allocated() - before)
    if framework == "jax":
        import jax

        device = jax.devices("gpu")[0]
        before = (device.memory_stats() or {}).get("bytes_in_use")
        run()
        peak = (device.memory_stats() or {}).get("peak_bytes_in_use")
        return None if before is None or peak is None else int(peak - before)
    return None
