"""`harness run`: measure a suite, then write its page."""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from harness import session
from harness.case import Block, blocks
from harness.cli.imports import imports_of, tell_imports
from harness.cli.page import exit_code, write_page
from harness.cli.progress import make_listener
from harness.cli.show import print_failures, print_ratios, print_speedups, print_summary
from harness.cli.terminal import place, say, tell
from harness.errors import InputError, one_of
from harness.estimate import expected_seconds
from harness.lazy import lazily
from harness.plan import Plan
from harness.report.format import plural
from harness.resume import everything
from harness.runner.executor import AbstractExecutor
from harness.session import Executed, Opened, Planned
from harness.suite import Suite
from harness.written import refuse_unwritable

if TYPE_CHECKING:
    from harness.cluster import connect as _connect
else:
    (_connect,) = lazily("harness.cluster.connect")

LISTED_CASES = 10_000
LISTED_REASONS = 1_000
"""A dry run lists at most this many cases and reasons. The longest suite of the project has 7,000 cases."""


def run(
    suite: Annotated[
        Path, typer.Argument(help="The suite's YAML file, or the name of a suite of `list suites`.", show_default=False)
    ],
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the suite's newest run; measure only what is missing.")
    ] = False,
    retry_failed: Annotated[
        bool,
        typer.Option(
            "--retry-failed",
            help="With --resume: measure again the cases that failed or ran out of time or memory, and the errors whose"
            " reference failed.",
        ),
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="AXIS=GLOB", help="Only matching cases, e.g. method=jax/*. May be repeated."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be measured and about how long it takes.")
    ] = False,
    device: Annotated[
        str | None, typer.Option("--device", metavar="cpu|cuda", help="Overrides the suite's device.")
    ] = None,
    executor: Annotated[
        str,
        typer.Option(
            "--executor", metavar="local|dask", help="Measure on this machine, or on the workers of a Dask cluster."
        ),
    ] = "local",
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler", metavar="ADDRESS", help="With --executor dask: the scheduler, e.g. tcp://10.0.0.1:8786."
        ),
    ] = None,
    results: Annotated[Path, typer.Option("--results", help="The folder of the runs.")] = Path("results"),
    report: Annotated[Path, typer.Option("--report", help="The folder of the pages.")] = Path("report"),
) -> None:
    """Measure a suite and write its page."""
    results, report = results.absolute(), report.absolute()  # a plugin may change the current folder
    source = session.read(suite)
    with _executor(executor, scheduler) as where:
        tell_imports(imports_of(source.suite, source.path.parent.resolve()))
        planned = session.plan(session.resolve(source, device=device, executor=where), only=only or ())
        if dry_run:
            _print_plan(planned)
            return
        refuse_unwritable(report, "--report")
        opened = session.open_run(planned, results=results, resume=resume, retry_failed=retry_failed)
        console = Console(stderr=True)
        _print_work(opened, console)
        total = len(opened.work.cases) + len(opened.work.unsupported)
        with make_listener(console, opened.expected_seconds, total) as listener:
            executed = session.execute(opened, listener, where)
    has_page = write_page(executed, report, console)
    _print_results(executed, opened.planned.resolved.suite)
    raise typer.Exit(exit_code(executed, has_page))


EXECUTORS = ("local", "dask")


@contextlib.contextmanager
def _executor(name: str, scheduler: str | None) -> Generator[AbstractExecutor | None, None, None]:
    """The executor that the options name, None for that of this machine. Raises InputError."""
    if name not in EXECUTORS:
        raise InputError("--executor", "", f"given {name!r}", one_of(EXECUTORS, name))
    if name == "local":
        if scheduler is not None:
            raise InputError("--scheduler", "", "works only together with --executor dask", "add --executor dask")
        yield None
        return
    if scheduler is None:
        allowed = "give the address of a Dask scheduler: --scheduler tcp://10.0.0.1:8786"
        raise InputError("--executor", "", "dask needs a scheduler", allowed)
    with _connect.dask_executor(scheduler) as made:
        yield made


def _print_work(opened: Opened, console: Console) -> None:
    plan, work = opened.planned.plan, opened.work
    held = len(plan.cases) + len(plan.unsupported) - len(work.cases) - len(work.unsupported)
    tell(console, opened.planned.resolved.suite.title, "bold")
    machines = len(opened.planned.resolved.surveyed.sites)
    seconds = sum(opened.expected_seconds.values()) / max(1, machines)
    tell(
        console,
        f"{len(work.cases)} cases to measure in about {_minutes(seconds)}"
        + (f" on {plural(machines, 'worker')}" if machines else "")
        + (f"; {held} are already measured" if held else "")
        + f". The run: {place(opened.run.folder)}",
    )
    for note in opened.notes:
        tell(console, note)


def _print_results(executed: Executed, suite: Suite) -> None:
    if "speedups" in suite.tables:
        print_speedups(executed.run)
        say()
        print_ratios(executed.run)
        say()
    print_failures(executed.run)
    print_summary(executed.run, plugins=True)
    if executed.busy_seconds:
        share = executed.busy_seconds / executed.wall_seconds
        took = _minutes(executed.wall_seconds)
        say(f"- The run took {took}. Building and measuring the cases took {share:.0%} of it.")


def _print_plan(planned: Planned) -> None:
    suite, plan, registry = planned.resolved.suite, planned.plan, planned.resolved.registry
    say(f"{suite.name}: {suite.title}")
    made = blocks(plan.cases)
    if len(plan.cases) > LISTED_CASES:
        _print_counts(plan)
    else:
        _print_blocks(made)
    if plan.unsupported:
        _print_unsupported(plan)
    jobs = everything(plan, suite).cases
    seconds = sum(expected_seconds(job, suite.budget, registry) for job in jobs)
    say(
        f"\n{len(plan.cases)} cases in {len(made)} blocks, {len(plan.unsupported)} unsupported; "
        f"about {_minutes(seconds)}"
    )


def _print_blocks(made: Sequence[Block]) -> None:
    """One line per case."""
    for block in made:
        first = block.cases[0]
        say(f"\n{first.setting}, {first.dtype}, {first.device}, brownian {first.brownian}")
        for case in block.cases:
            say(f"  {case.method:30} {case.scheme}")


def _print_counts(plan: Plan) -> None:
    """One line per method and scheme, for a plan that is too long to list case by case."""
    say()
    for (method, scheme), count in Counter((case.method, case.scheme) for case in plan.cases).items():
        say(f"  {method:30} {scheme:16} {count} cases")


def _print_unsupported(plan: Plan) -> None:
    """One line per method, scheme and reason."""
    say("\nunsupported:")
    counts = Counter((case.method, case.scheme, reason) for case, reason in plan.unsupported)
    for (method, scheme, reason), count in itertools.islice(counts.items(), LISTED_REASONS):
        say(f"  {method:30} {scheme:16} {reason}" + (f" ({count} cases)" if count > 1 else ""))
    if len(counts) > LISTED_REASONS:
        say(f"  and {len(counts) - LISTED_REASONS} more reasons")


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
