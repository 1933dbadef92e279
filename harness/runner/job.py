"""What is handed to a machine to be measured, and what comes back: frozen values that can be pickled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.case import Case
from harness.models.facts import ModelFacts
from harness.record import Measured
from harness.site import Site
from harness.suite import Budget

ERRORS = frozenset({"error", "adjoint_error"})
"""The measures that need gradients on the shared path and a reference."""
NO_REFERENCE = "no reference: "
"""How the reason begins for which errors weren't measured though the case itself could be."""


@dataclass(frozen=True)
class CaseJob:
    """A case, and what is to be measured of it: some of `harness.suite.MEASURES`."""

    case: Case
    measure: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class BlockJob:
    """All that a machine needs to measure a block: cases that do the same work, and are timed in turn.

    It holds data alone, so that it can be sent to another process or machine. Whoever executes it loads the methods
    and problems from `plugins` (names of modules, absolute paths of files). `model` says where a user's own model is
    that takes the place of a problem. `budget` holds the limits of time and memory too; `seed` is the suite's, from
    which the seeds of all paths follow.
    """

    cases: tuple[CaseJob, ...]
    budget: Budget
    seed: int
    plugins: tuple[str, ...] = ()
    model: ModelFacts | None = None

    @property
    def id(self) -> str:
        """The block's: the digest of what its cases share."""
        return self.cases[0].case.block_id

    @property
    def setting(self) -> str:
        """The block in words."""
        return self.cases[0].case.setting


@dataclass(frozen=True)
class Outcome:
    """A case that was measured, or could not be: a status of `harness.record.STATUSES`, its reason, and the values.

    `pending` are the measures that are still to come, with a later outcome of the same case. `site` is the machine that
    measured it, where that isn't the one of the process that writes the records.
    """

    case: Case
    status: str
    reason: str
    measured: Measured
    pending: tuple[str, ...] = ()
    site: Site | None = None


def block_jobs(
    cases: Iterable[CaseJob],
    *,
    budget: Budget,
    seed: int,
    plugins: tuple[str, ...],
    models: Mapping[str, ModelFacts] | None = None,
) -> list[BlockJob]:
    """A job a block, in the order in which each block's first case comes. `models` are the cases' own by their name."""
    grouped: dict[str, list[CaseJob]] = {}
    for job in cases:
        grouped.setdefault(job.case.block_id, []).append(job)
    return [
        BlockJob(
            cases=tuple(group),
            budget=budget,
            seed=seed,
            plugins=plugins,
            model=(models or {}).get(group[0].case.problem),
        )
        for group in grouped.values()
    ]
