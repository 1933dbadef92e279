"""What is wrong with a machine before it measures: libraries that are missing, other programs, changing speed."""

from __future__ import annotations

import contextlib
import getpass
import time
from pathlib import Path

import psutil

from harness.gpu import concerns
from harness.measuring.calibration import spread
from harness.registry import Registry
from harness.store import About

BUSY = 0.3
"""So many cores that other programs use are too many: a timed run has to wait for them now and then."""
LOOK_SECONDS = 0.2
"""For so long the processor is watched."""
UNSTEADY = 1.2
"""How much longer the slower ones of equal calculations may take than the faster ones."""
CPU = Path("/sys/devices/system/cpu")


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
        *changing_speed(),
        *other_users(),
        *(f"GPU {device['name']}: {concern}" for device in about["gpus"] for concern in concerns(device)),
    ]


def busy(cores: int) -> list[str]:
    """Whether programs that aren't ours use the processor now."""
    used = _used_by_others()
    return [f"other programs used {used:.1f} of {cores} cores"] if used > BUSY else []


def changing_speed(cpu: Path = CPU) -> list[str]:
    """Why times would vary although nothing else runs: the frequency of the cores, and what a short trial shows.

    `cpu` is where the kernel tells of the cores. A virtual machine mostly isn't told.
    """
    governors = {text for path in cpu.glob("cpu[0-9]*/cpufreq/scaling_governor") if (text := _text(path))}
    found = []
    if governors - {"performance"}:
        names = " and ".join(sorted(governors))
        found.append(f"the cores' frequency follows the load (governor {names}): set it to performance")
    if _text(cpu / "intel_pstate/no_turbo") == "0" or _text(cpu / "cpufreq/boost") == "1":
        found.append(
            "turbo is on, so a core's frequency depends on its temperature and on the other cores: switch it off"
        )
    ratio = spread()
    if ratio > UNSTEADY:
        found.append(f"equal calculations differed by {ratio - 1:.0%} in time: something else uses the machine")
    return found


def other_users() -> list[str]:
    """Whether somebody else is logged in, who may start something at any time."""
    with contextlib.suppress(OSError, KeyError):  # a container may not know its user's name
        names = sorted({user.name for user in psutil.users()} - {getpass.getuser()})
        return [f"other users are logged in: {', '.join(names)}"] if names else []
    return []


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


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
