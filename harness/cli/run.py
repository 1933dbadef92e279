"""`harness run`: measure a suite, then write its page."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.case import Block, blocks
from harness.cli.progress import make_listener
from harness.errors import InputError
from harness.machine import Machine
from harness.plan import Plan, make_plan
from harness.registry import Registry
from harness.suite import Suite, read_suite

LISTED_CASES = 10_000
LISTED_REASONS = 1_000
"""A dry run lists cases and reasons up to so many. The longest suite of the project has 7,000 cases."""


def run(
    suite: Annotated[Path, typer.Argument(help="The suite's YAML file.", show_default=False)],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the suite's newest run; measure only what it lacks.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="AXIS=GLOB", help="Only matching cases, e.g. method=jax/*. May be repeated."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be measured and about how long it takes.")
    ] = False,
    device: Annotated[
        str | None, typer.Option("--device", metavar="cpu|cuda", help="Overrides the suite's device.")
    ] = None,
    results: Annotated[Path, typer.Option("--results", help="Where runs are kept.")] = Path("results"),
    report: Annotated[Path, typer.Option("--report", help="Where pages are written.")] = Path("report"),
) -> None:
    """Measure a suite and write its page."""
    parsed, text = read_suite(suite)
    if device is not None:
        parsed = _with_device(parsed, device)
    from harness.runner.forms import refuse_unworkable

    registry = Registry.load(parsed.plugins, suite)
    devices = _cuda_devices(parsed)
    plan = make_plan(parsed, suite, registry, Machine.here(frozenset(devices)))
    if only:
        plan = plan.only(only)
    plan = refuse_unworkable(plan, parsed, registry)
    if dry_run:
        _print_plan(parsed, plan, registry)
        return
    interrupted, statuses = _measure(
        parsed, text, plan, registry, devices, only=only or [], resume=resume, results=results, report=report
    )
    if interrupted:
        raise typer.Exit(130)
    if any(statuses[status] for status in ("failed", "timeout", "out-of-memory")):
        raise typer.Exit(1)


def _with_device(suite: Suite, device: str) -> Suite:
    if device not in ("cpu", "cuda"):
        raise InputError("--device", "", f"given {device!r}", "allowed: cpu, cuda")
    grid = tuple(grid.model_copy(update={"device": (device,)}) for grid in suite.grid)
    return suite.model_copy(update={"grid": grid})


def _cuda_devices(suite: Suite) -> dict[str, str]:
    """Looked for only where the suite wants one: it takes importing the frameworks."""
    if not any("cuda" in grid.device for grid in suite.grid):
        return {}
    from harness.runner.run import cuda_devices

    return cuda_devices()


def _measure(
    suite: Suite,
    text: str,
    plan: Plan,
    registry: Registry,
    devices: dict[str, str],
    *,
    only: Sequence[str],
    resume: bool,
    results: Path,
    report: Path,
) -> tuple[bool, Counter[str]]:
    from rich.console import Console
    from rich.markup import escape

    from harness.environment import environment
    from harness.runner.run import execute, expected_seconds, missing
    from harness.store import new_run, newest_run

    console = Console(stderr=True)
    run = newest_run(results, suite.name) if resume else None
    if resume and run is None:
        raise InputError("--resume", "", f"{results / suite.name} holds no run to go on with", "leave it out")
    run = run or new_run(results, suite.name)
    left = missing(plan, run)
    seconds = sum(expected_seconds(suite, registry, case) for case in left.cases)
    held = len(plan.cases) + len(plan.unsupported) - len(left.cases) - len(left.unsupported)
    console.print(
        f"[bold]{escape(suite.title)}[/bold]\n{len(left.cases)} cases to measure, about {_minutes(seconds)}"
        + (f"; {held} held by the run already" if held else "")
        + f"; {run.folder}",
        highlight=False,
        soft_wrap=True,
    )
    execution = {
        **environment(registry),
        "suite_text": text,
        "seed": suite.seed,
        "cuda_devices": devices,
        "only": list(only),
    }
    run.add_execution(suite.name, execution)
    with make_listener(console, total_seconds=seconds, total_cases=len(left.cases) + len(left.unsupported)) as listener:
        summary = execute(suite, plan, run, registry, listener)
    _write_page(run, report, console, with_speedups="speedups" in suite.tables)
    return summary.interrupted, summary.statuses


def _write_page(run: Any, report: Path, console: Any, *, with_speedups: bool) -> None:
    from harness.cli.show import print_failures, print_ratios, print_speedups, print_summary
    from harness.report.page import write_report

    page = write_report(run, report)
    if with_speedups:
        print_speedups(run)
        print()
        print_ratios(run)
        print()
    print_failures(run)
    print_summary(run)
    console.print(f"The page: {page}", highlight=False, soft_wrap=True)


def _print_plan(suite: Suite, plan: Plan, registry: Registry) -> None:
    from harness.runner.run import expected_seconds

    print(f"{suite.name}: {suite.title}")
    made = blocks(plan.cases)
    if len(plan.cases) > LISTED_CASES:
        _print_counts(plan)
    else:
        _print_blocks(made)
    if plan.unsupported:
        _print_unsupported(plan)
    seconds = sum(expected_seconds(suite, registry, case) for case in plan.cases)
    print(
        f"\n{len(plan.cases)} cases in {len(made)} blocks, {len(plan.unsupported)} unsupported; "
        f"about {_minutes(seconds)}"
    )


def _print_blocks(made: Sequence[Block]) -> None:
    """A line a case."""
    for block in made:
        first = block.cases[0]
        print(f"\n{first.setting}, {first.dtype}, {first.device}, brownian {first.brownian}")
        for case in block.cases:
            print(f"  {case.method:30} {case.scheme}")


def _print_counts(plan: Plan) -> None:
    """A line a method and scheme, for a plan that is too long to be read case by case."""
    print()
    for (method, scheme), count in Counter((case.method, case.scheme) for case in plan.cases).items():
        print(f"  {method:30} {scheme:16} {count} cases")


def _print_unsupported(plan: Plan) -> None:
    """A line for each method, scheme and reason."""
    print("\nunsupported:")
    counts = Counter((case.method, case.scheme, reason) for case, reason in plan.unsupported)
    for (method, scheme, reason), count in itertools.islice(counts.items(), LISTED_REASONS):
        print(f"  {method:30} {scheme:16} {reason}" + (f" ({count} cases)" if count > 1 else ""))
    if len(counts) > LISTED_REASONS:
        print(f"  and {len(counts) - LISTED_REASONS} more")


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
