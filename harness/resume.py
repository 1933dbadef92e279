"""Going on with a run: whether it still is the same run, and what it lacks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.case import Case
from harness.errors import InputError, shown
from harness.identity import Identity
from harness.machine import Machine
from harness.measuring.statistics import narrow_enough
from harness.plan import Plan, make_plan
from harness.record import Measured, Row
from harness.registry import Registry
from harness.runner.job import ERRORS, NO_REFERENCE, CaseJob, Outcome
from harness.store import RESTORE, Run, measuring_execution
from harness.suite import Budget, Suite

RETRIED = ("failed", "timeout", "out-of-memory")
"""The statuses that `--retry-failed` measures again."""
MEASURED = ("ok", "unstable")
"""The statuses of cases that a widened `measure` or `budget` adds to."""
UNFINISHED = "not measured yet: "
"""How the reason of a record starts that a later one completes."""
SHARE_OF_ERROR = 0.1
"""A reference is refined until its bar is this share of the error: a larger `reference_steps` is of use above it."""


@dataclass(frozen=True)
class Held:
    """What a run holds of a case that is measured further."""

    status: str
    reason: str
    measured: Measured


@dataclass(frozen=True)
class Work:
    """What is left of a plan: the cases to measure, each with what it lacks, and unsupported cases to record.

    `held` has what the run holds already of the former, by the case's id.
    """

    cases: tuple[CaseJob, ...]
    unsupported: tuple[tuple[Case, str], ...]
    held: Mapping[str, Held] = field(default_factory=dict[str, Held])

    def completed(self, outcome: Outcome, measured: Iterable[str]) -> Outcome:
        """The outcome of a case of which `measured` is measured, with what the run held before.

        The status of an earlier measurement of errors stands where they weren't measured again.
        """
        if outcome.pending and not outcome.reason:
            outcome = replace(outcome, reason=f"{UNFINISHED}{', '.join(outcome.pending)}")
        held = self.held.get(outcome.case.id)
        if held is None:
            return outcome
        values = held.measured.updated(outcome.measured)
        if outcome.reason.startswith(NO_REFERENCE):  # nothing but errors was asked for: what is held stands
            outcome = replace(outcome, status=held.status)
        if outcome.status == "ok" and not ERRORS & (set(measured) - set(outcome.pending)):
            outcome = replace(outcome, status=held.status, reason=held.reason or outcome.reason)
        return replace(outcome, measured=values)


def everything(plan: Plan, suite: Suite) -> Work:
    """The work of a new run."""
    return Work(tuple(CaseJob(case, suite.measure) for case in plan.cases), plan.unsupported)


def lacking(plan: Plan, suite: Suite, run: Run, registry: Registry, *, retry_failed: bool) -> Work:
    """What a run lacks of a plan: cases without a record, and what a widened `measure` or `budget` asks for.

    With `retry_failed` the cases that failed are measured again from the start, and so are the errors of those whose
    reference failed.
    """
    rows = {row["case"]: row for row in run.rows()}
    earlier = [identity.suite for identity in identities(run)]
    timed_again = _timed_again(rows.values(), suite.budget, earlier)
    jobs: list[CaseJob] = []
    held: dict[str, Held] = {}
    for case in plan.cases:
        row = rows.get(case.id)
        if row is None or (retry_failed and row["status"] in RETRIED):
            jobs.append(CaseJob(case, suite.measure))
            continue
        wanted = [name for name in suite.measure if name not in ERRORS or not registry.method(case.method).baseline]
        before = _measured_by(row, earlier)
        if NO_REFERENCE in row["reason"] and not (
            retry_failed or suite.budget.reference_steps > before.budget.reference_steps
        ):
            wanted = [name for name in wanted if name not in ERRORS]
        lacks = tuple(_lacks(row, wanted, suite, before, timed_again))
        if row["status"] in MEASURED and lacks:
            jobs.append(CaseJob(case, lacks))
            reason = "" if row["reason"].startswith(UNFINISHED) else row["reason"]
            held[case.id] = Held(row["status"], reason, Measured.of(row))
    unsupported = tuple((case, reason) for case, reason in plan.unsupported if case.id not in rows)
    return Work(tuple(jobs), unsupported, held)


def _lacks(row: Row, wanted: Sequence[str], suite: Suite, earlier: Suite, timed_again: set[str]) -> Iterator[str]:
    """The part of `wanted` that a record lacks. `earlier` is the suite by which it was measured."""
    for name in wanted:
        if name in row["pending"]:
            yield name
        elif name == "time":
            if (not row["seconds"] and "time" not in earlier.measure) or row["case"] in timed_again:
                yield name
        elif name == "memory":
            if row["peak_bytes"] is None and "memory" not in earlier.measure:
                yield name
        elif name == "error" or "error" not in wanted:  # the adjoint error is part of the error
            column = "gradient_error_theta" if name == "error" else "adjoint_error_theta"
            paths = 1 if row["noise"] == "none" else suite.budget.replicates
            if len(row[column]) < paths or (name == "error" and _refinable(row, suite.budget, earlier.budget)):
                yield name


def _refinable(row: Row, budget: Budget, earlier: Budget) -> bool:
    """Whether more steps may be taken for the reference than before, and its bar is not small against the error."""
    if budget.reference_steps <= earlier.reference_steps or row["reference_error"] is None:
        return False
    errors = [value for name in ("theta", "y0") for value in row[f"gradient_error_{name}"] if value is not None]
    return row["reference_error"] > SHARE_OF_ERROR * min(errors, default=math.inf)


def _timed_again(rows: Iterable[Row], budget: Budget, earlier: Sequence[Suite]) -> set[str]:
    """The cases of blocks for which the budget now allows more rounds. Cases that were timed in turn go together."""
    paired: dict[str, list[Row]] = {}
    for row in rows:
        if row["status"] in MEASURED and row["seconds"]:
            paired.setdefault(row["pairing"], []).append(row)
    return {
        row["case"]
        for group in paired.values()
        if any(_more_rounds(row, budget, _measured_by(row, earlier).budget) for row in group)
        for row in group
    }


def _measured_by(row: Row, earlier: Sequence[Suite]) -> Suite:
    """The suite by which a record was measured, of those of all executions."""
    execution = measuring_execution(row, len(earlier))
    if execution is None:
        raise InputError(
            row["run"], "", f"a record of {row['method']} doesn't say which execution measured it", RESTORE
        )
    return earlier[execution]


def _more_rounds(row: Row, budget: Budget, earlier: Budget) -> bool:
    """Whether the bound that ended the rounds is wider now, and the interval not narrow enough yet."""
    taken = len(row["seconds"])
    wider = (
        (budget.rounds > earlier.rounds and taken >= earlier.rounds)
        or budget.seconds > earlier.seconds
        or budget.precision < earlier.precision
    )
    return wider and taken < budget.rounds and not narrow_enough(row["seconds"], budget.precision)


def identities(run: Run) -> list[Identity]:
    """Those of all executions of a run. Raises InputError where an earlier version wrote it."""
    found = [Identity.of(execution, run.folder) for execution in run.about()["executions"]]
    if not found or None in found:
        raise InputError(
            run.folder,
            "",
            "was measured by an earlier version of the harness, whose records don't say enough to continue it",
            "leave out --resume to start a new run",
        )
    return [identity for identity in found if identity is not None]


def refuse_changed(
    identity: Identity, path: Path, run: Run, registry: Registry, machine: Machine, *, edited: bool
) -> None:
    """Raises InputError where the grid or the seed has changed, or a plugin's code unless `edited` allows it.

    A grid that is written in another way and has the same cases is no change.
    """
    earlier = identities(run)[-1]
    changed = identity.difference(earlier)
    if changed is not None and not _same_cases(identity.suite, earlier.suite, path, registry, machine):
        key, before, now = changed
        what = f"given {shown(now)}; the run {run.folder} has {shown(before)}"
        raise InputError(path, key, what, "change it back, or leave out --resume to start a new run")
    for name in identity.edited(earlier):
        if not edited:
            raise InputError(
                path,
                "plugins",
                f"{name} was edited after the run {run.folder} was measured with it",
                "leave out --resume to start a new run, or add --retry-failed to keep the records of the earlier code",
            )


def _same_cases(now: Suite, earlier: Suite, path: Path, registry: Registry, machine: Machine) -> bool:
    try:
        before, after = (make_plan(suite, path, registry, machine) for suite in (earlier, now))
    except InputError:  # what the earlier grid names is gone
        return False
    return _cases(before) == _cases(after)


def _cases(plan: Plan) -> set[Case]:
    return {*plan.cases, *(case for case, _ in plan.unsupported)}
