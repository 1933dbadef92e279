"""The machines that measured the records of one or several runs: what tells them apart, and their names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from harness.record import Row
from harness.store import About, Run, measuring_execution

Facts = Mapping[str, str]
"""What is known of a machine and of the software on it, in words, by what it is."""
IGNORED = ("gradient-harness", "pandas", "memray")
"""Packages whose version doesn't change what is measured."""


THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Variables that every child has as 1 if they aren't set: set to 1, they change nothing."""
LISTED_HOSTS = 3


def facts(execution: About, host: str | None) -> dict[str, str]:
    """What makes the numbers of two executions differ: the machine, and the versions and settings on it.

    `host` may stand for several machines of one kind. Not part of it are the revision of the harness and the kernel: a
    run that is repeated with a newer harness is of the same machine.
    """
    gpus = [f"{gpu['name']}, driver {gpu['driver']}" for gpu in execution.get("gpus") or ()]
    packages = {name: text for name, text in (execution.get("packages") or {}).items() if name not in IGNORED}
    return {
        "processor": execution.get("processor") or "an unknown processor",
        "gpus": "; ".join(gpus) or "no GPU",
        "host": host or "a host without a name",
        "cores": f"{execution.get('usable_cores')} cores",
        "memory": f"{(execution.get('memory_bytes') or 0) / 2**30:.0f} GiB",
        "python": f"Python {execution.get('python')}",
        **{name: f"{name} {text}" if text else f"no {name}" for name, text in packages.items()},
        **{
            name: f"{name}={text}"
            for name, text in (execution.get("variables") or {}).items()
            if text is not None and not (name in THREADS and text == "1")
        },
        **({"shared": "shared with other blocks"} if execution.get("shared") else {}),
    }


def names(found: Sequence[Facts]) -> list[str]:
    """A name for each: the processor, or what tells several apart. Machines with the same facts have the same name."""
    known = list(dict.fromkeys(name for one in found for name in one))
    apart: list[str] = []
    for fact in known:
        if _groups(found, [*apart, fact]) > _groups(found, apart):
            apart.append(fact)
    return [", ".join(_words(one, apart or ["processor"])) for one in found]


def _groups(found: Sequence[Facts], by: Iterable[str]) -> int:
    return len({tuple(one.get(fact) for fact in by) for one in found})


def _words(one: Facts, by: Iterable[str]) -> Iterator[str]:
    for fact in by:
        yield one.get(fact, f"without {fact}")


def machines_of(runs: Sequence[Run], rows: Sequence[Sequence[Row]]) -> list[list[str]]:
    """The name of the machine of each row of each run.

    A record without a host, as that of an unsupported case, is of the host of its execution.
    """
    places = facts_of(runs, rows)
    distinct = list({tuple(one.items()): one for of_run in places for one in of_run}.values())
    named = dict(zip((tuple(one.items()) for one in distinct), names(distinct), strict=True))
    return [[named[tuple(one.items())] for one in of_run] for of_run in places]


def facts_of(runs: Sequence[Run], rows: Sequence[Sequence[Row]]) -> list[list[dict[str, str]]]:
    """The facts of the machine of each row of each run."""
    return [_places(run, found) for run, found in zip(runs, rows, strict=True)]


def _of_kind(executions: Sequence[About]) -> list[str | None]:
    """For each execution on a worker of a cluster the hosts of all workers of its kind, in words; otherwise None.

    Workers of one kind have the same facts but for the host. A run on a cluster would be useless if each host counted
    as a machine of its own, because each host measures only some of the blocks.
    """
    kinds = [tuple(facts(one, "").items()) if "worker" in one else None for one in executions]
    hosts: dict[object, set[str]] = {}
    for kind, execution in zip(kinds, executions, strict=True):
        hosts.setdefault(kind, set()).add(str(execution.get("host")))
    return [None if kind is None else _listed(sorted(hosts[kind])) for kind in kinds]


def _listed(hosts: Sequence[str]) -> str:
    """All hosts if they are few. Otherwise the number, the first and the last, and what tells other lists apart."""
    if len(hosts) <= LISTED_HOSTS:
        return ", ".join(hosts)
    digest = hashlib.sha256("\n".join(hosts).encode()).hexdigest()[:4]
    return f"{len(hosts)} hosts, {hosts[0]} to {hosts[-1]} (list {digest})"


def _places(run: Run, rows: Sequence[Row]) -> list[dict[str, str]]:
    """The facts of each row's machine. A run of the first version doesn't say which execution measured a row."""
    executions = run.about()["executions"]
    of_kind = _of_kind(executions)
    hosts: dict[int | None, str] = {}
    for row in rows:
        if row["host"] is not None:
            hosts.setdefault(row["execution"], row["host"])
    known: dict[tuple[int | None, str | None], dict[str, str]] = {}
    found: list[dict[str, str]] = []
    for row in rows:
        place = (measuring_execution(row, len(executions)), row["host"] or hosts.get(row["execution"]))
        if place not in known:
            index = -1 if place[0] is None else place[0]
            known[place] = facts(executions[index], of_kind[index] or place[1])
        found.append(known[place])
    return found
