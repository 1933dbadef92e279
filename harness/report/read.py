"""A run, read for its page and for the terminal."""

from __future__ import annotations

from harness.errors import InputError
from harness.frames import load
from harness.identity import suite_of
from harness.registry import Registry
from harness.report.visible import visible_frame
from harness.section import Measurements
from harness.store import ABOUT, RESTORE, Run
from harness.suite import Suite


def read(run: Run) -> tuple[Measurements, str]:
    """What was measured, and why the suite's plugins couldn't be loaded, "" where they could or there are none.

    Characters that nobody sees are written as escapes in the records' texts.
    """
    executions = tuple(run.about()["executions"])
    for key in ("processor", "packages", "suite_text"):
        if key not in executions[-1]:
            raise InputError(run.folder / ABOUT, f"executions.{len(executions) - 1}", f"has no {key}", RESTORE)
    suite = suite_of(executions[-1], run.folder)
    registry, unloaded = _registry(suite)
    return Measurements(visible_frame(load(run.folder)), suite, registry, executions), unloaded


def _registry(suite: Suite) -> tuple[Registry, str]:
    """With the suite's plugins, or without them and why."""
    try:
        return Registry.load(suite.plugins), ""
    except InputError as error:
        return Registry.load(), str(error)
