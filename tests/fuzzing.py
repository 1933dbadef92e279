"""How many inputs a fuzz test draws, and how long each of them may take.

Continuous integration tries the same few inputs each time. With the environment variable GRADIENT_HARNESS_FUZZ=full
there are many more, other ones each time; `--hypothesis-seed=N` repeats them.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType

from hypothesis import HealthCheck, Phase, settings

FULL = os.environ.get("GRADIENT_HARNESS_FUZZ") == "full"
MOST_SECONDS = 20
"""Of one input. The slowest takes about 3 s on an idle machine."""


class HangsError(KeyboardInterrupt):
    """An input took too long. Nothing catches it, as nothing may catch Ctrl-C."""


def fuzz(*, usual: int, full: int) -> settings:
    """Settings of hypothesis: `usual` inputs in continuous integration, `full` where all are asked for."""
    return settings(
        derandomize=not FULL,
        max_examples=full if FULL else usual,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )


@contextlib.contextmanager
def time_limit(seconds: int = MOST_SECONDS) -> Iterator[None]:
    """Raises HangsError within, after so many seconds."""

    def end(number: int, frame: FrameType | None) -> None:
        raise HangsError(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
