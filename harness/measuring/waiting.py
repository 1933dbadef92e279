"""How long this process waited for a core: what other programs took from a sample."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

TASKS = Path("/proc/self/task")
DISTURBED = 0.02
"""A sample that waited for a core for more than this part of its time was disturbed by other programs."""


def waited_seconds(tasks: Path = TASKS) -> float:
    """Seconds for which the threads of this process were ready to run and had no core, summed, since they started.

    The kernel counts them (`schedstat`, its second number, in nanoseconds). 0 where it doesn't.
    """
    total = 0
    with contextlib.suppress(OSError):
        for task in os.listdir(tasks):
            with contextlib.suppress(OSError, ValueError, IndexError):  # a thread may end meanwhile
                total += int((tasks / task / "schedstat").read_text().split()[1])
    return total / 1e9
