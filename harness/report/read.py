"""Runs, read for their page and for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import InputError
from harness.frames import load
from harness.identity import suite_of
from harness.registry import Registry
from harness.report.visible import visible_frame
from harness.section import Measurements
from harness.store import ABOUT, RESTORE, Run
from harness.suite import Suite

LACKS = "The sections and the theory of the suite's plugins are missing"


def read(runs: Sequence[Run], *, plugins: bool) -> tuple[Measurements, str]:
    """What was measured, and why the suite's plugins are missing, "" where they were imported or there are none.

    They are imported only where `plugins` says so: run.json names them, and whoever wrote it would run code here.

    All runs are of one suite, which is that of the newest execution. Raises InputError where they aren't.
    Characters that nobody sees are written as escapes in the records' texts.
    """
    ordered = sorted(runs, key=lambda run: run.id)
    suites = {run.about()["suite"]: run for run in ordered}
    if len(suites) > 1:
        found = " and ".join(f"{run.folder} is of {name}" for name, run in suites.items())
        raise InputError("RUN", "", found, "give runs of one suite; each suite has a page of its own")
    for run in ordered:
        executed = run.about()["executions"]
        for key in ("processor", "packages", "suite_text"):
            if key not in executed[-1]:
                raise InputError(run.folder / ABOUT, f"executions.{len(executed) - 1}", f"has no {key}", RESTORE)
    executions = tuple(execution for run in ordered for execution in run.about()["executions"])
    suite = suite_of(executions[-1], ordered[-1].folder)
    registry, missing = _registry(suite, plugins)
    frame = load([run.folder for run in ordered])
    return Measurements(visible_frame(frame), suite, registry, executions), missing


def _registry(suite: Suite, plugins: bool) -> tuple[Registry, str]:
    """With the suite's plugins, or without them and why."""
    if suite.plugins and not plugins:
        names = ", ".join(suite.plugins)
        return Registry.load(), f"{LACKS}: they were not imported ({names}). The option --plugins does that."
    try:
        return Registry.load(suite.plugins), ""
    except InputError as error:
        return Registry.load(), f"{LACKS}: {error}"
