"""What is wrong with a machine before it measures: libraries that are missing, other programs, a slowed GPU."""

from __future__ import annotations

import time

import psutil

from harness.gpu import concerns
from harness.registry import Registry
from harness.store import About

BUSY = 0.3
"""So many cores that other programs use are too many: a timed run has to wait for them now and then."""
LOOK_SECONDS = 0.2
"""For so long the processor is watched."""


def missing(about: About, registry: Registry) -> list[str]:
    """Packages that a backend or the measurement of memory needs and that aren't installed."""
    of_backends = [backend.packages[0] for backend in registry.backends.values() if backend.packages]
    return [name for name in dict.fromkeys((*of_backends, "memray")) if about["packages"][name] is None]


def condition(about: About, registry: Registry) -> list[str]:
    """The warnings of `harness doctor` that need no measurement by children, a sentence each. `about` is what
    `harness.environment.environment` found."""
    return [
        *(f"{name} is not installed" for name in missing(about, registry)),
        *busy(about["usable_cores"]),
        *(f"GPU {device['name']}: {concern}" for device in about["gpus"] for concern in concerns(device)),
    ]


def busy(cores: int) -> list[str]:
    """Whether programs that aren't ours use the processor now."""
    used = _used_by_others()
    return [f"other programs used {used:.1f} of {cores} cores"] if used > BUSY else []


def _used_by_others() -> float:
    """The cores that are in use now, without those of this process and its children."""
    before, start = _seconds(), time.perf_counter()
    time.sleep(LOOK_SECONDS)
    return max(0.0, (_seconds() - before) / (time.perf_counter() - start))


def _seconds() -> float:
    """The CPU time of all processes since the machine started, but ours."""
    everything = psutil.cpu_times()
    me = psutil.Process()
    own = 0.0
    for process in (me, *me.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.Error:  # it has ended
            continue
        own += times.user + times.system
    return everything.user + everything.nice + everything.system - own
