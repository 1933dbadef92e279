"""Which workers of a cluster may measure, and which of them at the same time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.cluster.cluster import Worker
from harness.environment import package_version
from harness.errors import InputError

BLOCK = "BLOCK"
"""The resource of a worker that may measure. A block takes all of it."""
SHARED = "SHARED"
"""The resource of a worker that may measure while another one on its machine does."""
START = f'start each worker with --resources "{BLOCK}=1"'


@dataclass(frozen=True)
class Place:
    """Workers of which one can measure at a time. `shared` says that others may measure beside it on its machine."""

    workers: tuple[Worker, ...]
    shared: bool = False


def places(workers: Iterable[Worker]) -> list[Place]:
    """One for each machine, or for each worker of a machine on which all workers are declared to share it."""
    machines: dict[str, list[Worker]] = {}
    for worker in workers:
        machines.setdefault(worker.machine, []).append(worker)
    found: list[Place] = []
    for beside in machines.values():
        if all(worker.resources.get(SHARED) for worker in beside):
            found += [Place((worker,), shared=True) for worker in beside]
        else:
            found.append(Place(tuple(beside)))
    return found


def notes(found: Iterable[Place]) -> Iterator[str]:
    """What a user should know about workers that share a machine, a sentence each."""
    for place in found:
        names = ", ".join(worker.name for worker in place.workers)
        host = place.workers[0].host
        if len(place.workers) > 1:
            yield (
                f"The workers {names} run on one machine, {host}. They would disturb each other's times, so only one of"
                " them measures at a time."
            )
        if place.shared:
            yield (
                f"The worker {names} shares its machine, {host}, with others that may measure at the same time, as its"
                f" resource {SHARED} says. They disturb each other's times, and run.json and the page say so."
            )


def able(workers: Sequence[Worker]) -> list[Worker]:
    """Those that may measure: that have one block's resource and this version of the harness. Raises InputError.

    It is raised if there is none, or if one of them has another version: it would measure something else.
    """
    if not workers:
        raise InputError("--scheduler", "", "no worker has joined this scheduler", f"needed: a worker; {START}")
    found = [worker for worker in workers if worker.resources.get(BLOCK)]
    if not found:
        names = ", ".join(worker.name for worker in workers)
        raise InputError("--scheduler", "", f"no worker has the resource {BLOCK}: {names}", START)
    for worker in found:
        fault = refusal(worker)
        if fault is not None:
            raise InputError(f"worker {worker.name}", "", *fault)
    return found


def refusal(worker: Worker) -> tuple[str, str] | None:
    """Why a worker may not measure, and what is needed; None if it may."""
    here = package_version("gradient-harness")
    if worker.resources.get(BLOCK) != 1:
        given = f"{worker.resources.get(BLOCK, 0):g}"
        return f"has the resource {BLOCK}={given}", f"needed: {BLOCK}=1, because one block is measured at a time"
    return _other_version(worker.version, here)


def _other_version(there: str | None, here: str | None) -> tuple[str, str] | None:
    if there is None:
        return "lacks the harness", "pip install gradient-harness[cluster] on every machine"
    if there != here:
        return f"has gradient-harness {there}, this machine has {here}", "install the same version on both"
    return None


def check_scheduler(version: str | None) -> None:
    """Raises InputError if the scheduler has no harness or another version of it. It imports what a task calls."""
    fault = _other_version(version, package_version("gradient-harness"))
    if fault is not None:
        raise InputError("the scheduler", "", *fault)
