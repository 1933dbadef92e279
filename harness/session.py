"""A suite from its file to its page: read, resolve, plan, open the run, execute, report.

Each step is a function that takes the result of the one before. `measure` does them all. The command line does the
same and prints in between.
"""

from __future__ import annotations

import functools
import itertools
import os
import time
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from harness.case import Case
from harness.condition import condition
from harness.environment import arguments, environment
from harness.errors import InputError, RecordingError
from harness.estimate import expected_seconds
from harness.identity import Identity, differing
from harness.lazy import lazily
from harness.listener import Listener, Silent
from harness.lock import Lock
from harness.machine import Machine
from harness.models.facts import ModelFacts
from harness.plan import Plan, make_plan, merged
from harness.record import Measured, Record
from harness.registry import Registry
from harness.resume import RETRIED, Work, everything, identities, lacking, refuse_changed
from harness.runner.executor import AbstractExecutor
from harness.runner.forms import refuse_unworkable
from harness.runner.job import Outcome, block_jobs
from harness.runner.local import LocalExecutor
from harness.runner.model_probe import find_models
from harness.runner.probe import cuda_devices
from harness.shipped import suite_file
from harness.site import Models, Site, Surveyed
from harness.store import About, Run, new_run, newest_run
from harness.suite import Suite, make_suite, read_suite
from harness.written import refuse_unwritable

if TYPE_CHECKING:
    from harness.report import page as _page
else:
    (_page,) = lazily("harness.report.page")  # pandas and matplotlib, which only a page needs

IN_PYTHON = Path("suite")
"""Stands for the file in messages about a suite that was given as a mapping."""


@dataclass(frozen=True)
class Source:
    """A suite, the file that it comes from, and its text."""

    suite: Suite
    path: Path
    text: str


@dataclass(frozen=True)
class Resolved:
    """A suite that is ready to be planned: the caller's options are applied, and the plugins are loaded.

    `surveyed` are the machines on which it is to be measured, if that isn't this one.
    """

    source: Source
    identity: Identity
    registry: Registry
    surveyed: Surveyed = field(default_factory=Surveyed)

    @property
    def suite(self) -> Suite:
        """The suite to measure."""
        return self.identity.suite


@dataclass(frozen=True)
class Planned:
    """The cases of a suite on the machines that measure it. `only` are the filters that they match, `cuda` the devices
    seen. `machine` can run what any of the machines can."""

    resolved: Resolved
    plan: Plan
    machine: Machine
    cuda: Mapping[str, str]
    only: tuple[str, ...]


@dataclass(frozen=True)
class Opened:
    """A run and its missing work. `notes` are sentences for its user."""

    planned: Planned
    run: Run
    execution: int
    work: Work
    notes: tuple[str, ...]
    lock: Lock
    """Held while the run is measured."""

    @functools.cached_property
    def expected_seconds(self) -> Mapping[Case, float]:
        """The estimated seconds of each case that is to be measured."""
        resolved = self.planned.resolved
        return {job.case: expected_seconds(job, resolved.suite.budget, resolved.registry) for job in self.work.cases}

    def left(self, executed: Executed) -> int:
        """The cases of a new run that an execution didn't begin."""
        return len(self.work.cases) + len(self.work.unsupported) - executed.statuses.total()


@dataclass(frozen=True)
class Executed:
    """A run after its work was done, or interrupted.

    `busy_seconds` of its `wall_seconds` passed while a case was built or measured; None where an executor doesn't say.
    """

    run: Run
    interrupted: bool
    wall_seconds: float
    busy_seconds: float | None

    @functools.cached_property
    def statuses(self) -> Counter[str]:
        """The number of the run's cases by status, including those of earlier executions."""
        return Counter(row["status"] for row in self.run.rows())

    @property
    def failed(self) -> bool:
        """Whether a case failed, or ran out of time or memory."""
        return any(self.statuses[status] for status in RETRIED)


def read(suite: Suite | Mapping[str, object] | str | Path) -> Source:
    """The suite in a YAML file, one that comes with the package, by its name, or a mapping with a file's keys.

    Raises InputError.

    Plugin files of a mapping are relative to the current folder.
    """
    if isinstance(suite, str | Path):
        path = suite_file(Path(suite))
        found, text = read_suite(path)
        return Source(found, path, text)
    made = suite if isinstance(suite, Suite) else make_suite(suite, IN_PYTHON)
    return Source(made, IN_PYTHON, yaml.safe_dump(made.model_dump(mode="json"), sort_keys=False, allow_unicode=True))


def resolve(source: Source, *, device: str | None = None, executor: AbstractExecutor | None = None) -> Resolved:
    """Load the suite's plugins and build its models once. `device` replaces the suite's own where it is given.

    The models are built where `executor` measures, by default here. Raises InputError.
    """
    suite = source.suite if device is None else _with_device(source.suite, device)
    path = Path(os.path.abspath(source.path))  # before a plugin can change the current folder
    registry = Registry.load(suite.plugins, source.path)
    surveyed = Surveyed() if executor is None else executor.survey(suite, path)
    if not surveyed.sites:
        registry.add_models(_models_here(suite, path, source.path))
        return Resolved(source, Identity.found(suite, registry.models.values()), registry)
    first = surveyed.sites[0]
    registry.add_models(first.models)
    identity = _same_files(suite, registry, first)
    return Resolved(source, identity, registry, surveyed)


def _same_files(suite: Suite, registry: Registry, site: Site) -> Identity:
    """The suite's identity. Raises InputError if plugins or models aren't the same here as on the site."""
    allowed = f"copy the files of {site.host}, or run the suite where they are"
    try:
        identity = Identity.found(suite, registry.models.values())
    except OSError as error:
        raise InputError(error.filename, "", "there is no such file on this machine", allowed) from error
    other = differing(identity.plugins, site.plugins)
    if other is not None:
        raise InputError(other, "", f"differs between this machine and {site.host}", allowed)
    return identity


def _models_here(suite: Suite, path: Path, where: Path) -> Models:
    """The suite's models, built on this machine. `where` is the suite's file as its user names it."""
    found: dict[str, Mapping[str, ModelFacts]] = {}
    for grid in suite.grid:
        device = "cpu" if "cpu" in grid.device else "cuda"
        found |= find_models(grid.models(), path.parent, seed=suite.seed, device=device, where=where)
    return found


def _with_device(suite: Suite, device: str) -> Suite:
    if device not in ("cpu", "cuda"):
        raise InputError("--device", "", f"given {device!r}", "allowed: cpu, cuda")
    grid = tuple(grid.model_copy(update={"device": (device,)}) for grid in suite.grid)
    return suite.model_copy(update={"grid": grid})


def plan(resolved: Resolved, *, only: Sequence[str] = ()) -> Planned:
    """The cases of the suite that match every `axis=glob` of `only`, and why some of them can't be done.

    A case can be done where one of the surveyed machines can do it. Raises InputError where a name is unknown or
    nothing matches.
    """
    suite, sites = resolved.suite, resolved.surveyed.sites
    if sites:
        made = merged([site.plan for site in sites])
        cuda = {framework: name for site in sites for framework, name in site.cuda.items()}
        machine = Machine(max(site.environment["usable_cores"] for site in sites), frozenset(cuda))
    else:
        cuda = cuda_devices() if any("cuda" in grid.device for grid in suite.grid) else {}
        machine = Machine.here(frozenset(cuda))
        made = make_plan(suite, resolved.source.path, resolved.registry, machine)
    if only:
        made = made.only(only)
    if not sites:
        made = refuse_unworkable(made, suite, resolved.registry)
    return Planned(resolved, made, machine, cuda, tuple(only))


def open_run(planned: Planned, *, results: Path, resume: bool = False, retry_failed: bool = False) -> Opened:
    """A new run in the folder `results`, or with `resume` the suite's newest run, and its missing work.

    Raises InputError where there is no run to continue, where another process measures it, where its grid, its seed or
    a plugin differ, where `retry_failed` is given without `resume`, or where all cases are for a GPU and there is none.
    """
    _refuse_without_device(planned)
    if retry_failed and not resume:
        raise InputError("--retry-failed", "", "works only together with --resume", "add --resume")
    name = planned.resolved.suite.name
    run = newest_run(results, name) if resume else new_run(results, name)
    if run is None:
        raise InputError("--resume", "", f"there is no run in {results / name}", "leave out --resume to start one")
    lock = Lock(run.folder)  # before the work that it lacks is read
    try:
        work, notes = (
            _continued(planned, run, retry_failed) if resume else (everything(planned.plan, planned.resolved.suite), ())
        )
        notes = (*planned.resolved.surveyed.notes, *notes)
        site = next(iter(planned.resolved.surveyed.sites), None)
        return Opened(planned, run, run.add_execution(name, _about(planned, site)), work, notes, lock)
    except BaseException:
        lock.release()
        raise


def _continued(planned: Planned, run: Run, retry_failed: bool) -> tuple[Work, tuple[str, ...]]:
    """The work that a run lacks, and what to know about its records."""
    resolved = planned.resolved
    refuse_changed(
        resolved.identity, resolved.source.path, run, resolved.registry, planned.machine, edited=retry_failed
    )
    notes = tuple(
        f"{name} was edited. The records that its earlier code gave are kept."
        for name in resolved.identity.edited(identities(run)[-1])
    )
    return lacking(planned.plan, resolved.suite, run, resolved.registry, retry_failed=retry_failed), notes


def _about(planned: Planned, site: Site | None) -> About:
    """What `run.json` holds of this execution on a machine, by default on this one."""
    resolved = planned.resolved
    if site is None:
        here = environment(resolved.registry)
        machine = {**here, "warnings": condition(here, resolved.registry)}
    else:
        machine = {**site.environment, "arguments": arguments()}
    return {
        **machine,
        **resolved.identity.to_data(),
        "suite_text": resolved.source.text,
        "seed": resolved.suite.seed,
        "cuda_devices": dict(planned.cuda if site is None else site.cuda),
        "only": list(planned.only),
        "cases": len(planned.plan.cases) + len(planned.plan.unsupported),
        "models": {name: [facts.described, *facts.notes] for name, facts in resolved.registry.models.items()},
    }


def _refuse_without_device(planned: Planned) -> None:
    """Refuse a run in which nothing can be measured because there is no GPU."""
    wanted = {case.device for case, _ in planned.plan.unsupported}
    if not planned.plan.cases and wanted == {"cuda"} and not planned.cuda:
        where = planned.resolved.source.path
        raise InputError(where, "device", "given cuda; neither PyTorch nor JAX sees a CUDA device here", "allowed: cpu")


def execute(
    opened: Opened,
    listener: Listener | None = None,
    executor: AbstractExecutor | None = None,
    *,
    go_on: Callable[[], bool] = lambda: True,
) -> Executed:
    """Do the work of a run and write each record as soon as it is known. Ctrl-C ends it and keeps the records.

    `run.json` gets an entry for each machine that measures. By default the executor is one on this machine. No block is
    started once `go_on` returns False. Raises RecordingError where a record can't be written, and WorkersLostError
    where the machines of the executor are gone.
    """
    listener = listener or Silent()
    executor = executor or LocalExecutor(log=opened.run.folder / "children.log")
    start, interrupted = time.monotonic(), False
    run, work, suite = opened.run, opened.work, opened.planned.resolved.suite
    wanted = {job.case: job.measure for job in work.cases}
    executions: dict[Site | None, int] = dict.fromkeys(
        (None, *opened.planned.resolved.surveyed.sites[:1]), opened.execution
    )
    finished: set[Case] = set()

    def write(outcome: Outcome) -> None:
        if outcome.site not in executions:
            executions[outcome.site] = _add_execution(opened, outcome.site)
        run.append(
            Record(
                run=run.id,
                suite=suite.name,
                execution=executions[outcome.site],
                case=outcome.case,
                status=outcome.status,
                reason=outcome.reason,
                pending=outcome.pending,
                measured=outcome.measured,
            )
        )
        if outcome.pending:
            listener.timed(outcome.case)
        elif outcome.case not in finished:  # a block that lost its machine is measured again
            finished.add(outcome.case)
            listener.done(outcome.case, outcome.status)

    models = opened.planned.resolved.registry.models
    jobs = block_jobs(work.cases, budget=suite.budget, seed=suite.seed, plugins=suite.plugins, models=models)
    outcomes = executor.execute(itertools.takewhile(lambda _: go_on(), jobs), listener)
    try:
        for case, reason in work.unsupported:
            write(Outcome(case, "unsupported", reason, Measured()))
        for outcome in outcomes:
            write(work.completed(outcome, wanted[outcome.case]))
    except KeyboardInterrupt:
        interrupted = True
    finally:
        if isinstance(outcomes, Generator):
            outcomes.close()  # ends the children
        opened.lock.release()
    return Executed(run, interrupted, time.monotonic() - start, executor.busy_seconds())


def _add_execution(opened: Opened, site: Site | None) -> int:
    suite = opened.planned.resolved.suite.name
    try:
        return opened.run.add_execution(suite, _about(opened.planned, site))
    except InputError as error:
        raise RecordingError(str(error)) from error


def report(executed: Executed, folder: Path) -> Path:
    """Write the run's page into a folder; return the page's path."""
    return _page.write_report(executed.run, folder, plugins=True)


def measure(
    suite: Suite | Mapping[str, object] | str | Path,
    *,
    results: str | Path = "results",
    page: str | Path | None = None,
    device: str | None = None,
    only: Sequence[str] = (),
    resume: bool = False,
    retry_failed: bool = False,
    executor: AbstractExecutor | None = None,
) -> Run:
    """Measure a suite, as `python -m harness run` does, and return the run. `run.frame()` is its DataFrame.

    - `suite`: the path of a YAML file, the name of a suite of `harness list suites`, or a mapping with the keys of such
      a file.
    - `results`: the folder of the runs.
    - `page`: the folder of the page. By default no page is written.
    - `device`: "cpu" or "cuda", instead of the suite's device.
    - `only`: filters such as "method=torch/*". A case must match all of them.
    - `resume`: continue the newest run of the suite and measure only what is missing.
    - `retry_failed`: with `resume`, measure the cases again that failed or ran out of time or memory.
    - `executor`: where blocks are measured. By default on this machine, with `harness.dask_executor(address)` on the
      workers of a Dask cluster.

    Raises InputError if the suite or an option is wrong, WorkersLostError if the cluster is gone, and KeyboardInterrupt
    if interrupted; the records are kept.
    """
    # The paths are resolved now: a plugin may change the current folder.
    results, page = Path(results).absolute(), None if page is None else Path(page).absolute()
    planned = plan(resolve(read(suite), device=device, executor=executor), only=only)
    if page is not None:
        refuse_unwritable(page, "page")
    opened = open_run(planned, results=results, resume=resume, retry_failed=retry_failed)
    for note in opened.notes:
        warnings.warn(note, stacklevel=2)
    executed = execute(opened, executor=executor)
    if page is not None:
        report(executed, page)
    if executed.interrupted:
        raise KeyboardInterrupt
    return executed.run
