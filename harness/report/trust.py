"""Whether the numbers of a page can be trusted, in a sentence or two: what the machine did wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.measuring.waiting import DISTURBED
from harness.report.answer.general import WAITED, by_machine
from harness.report.format import decimal, listing, seconds, span
from harness.section import Measurements
from harness.store import About


def warnings(measurements: Measurements) -> list[str]:
    """What was wrong with the machine when an execution began, a sentence each. It disturbs times alone."""
    if not _timed(measurements):
        return []
    several = len(measurements.executions) > 1
    return [
        f"Times may be disturbed. When the run began{_when(execution) if several else ''}: {warning}."
        for execution in measurements.executions
        for warning in execution.get("warnings") or ()
    ]


def _timed(measurements: Measurements) -> bool:
    return bool(measurements.frame["seconds_median"].notna().any())


def machine(measurements: Measurements) -> str:
    """What was checked of the machine, and how much of their cores the cases had."""
    if not _timed(measurements):
        return "No times were measured, which other programs on the machine could have disturbed."
    if not all("warnings" in execution for execution in measurements.executions):
        began = "This run is of a version that did not check its machine."
    elif warnings(measurements):
        began = "The machine was checked when the run began: see the notes above the answer."
    else:
        began = "The machine was checked when the run began: no warning."
    return " ".join([began, *by_machine(measurements.frame, _while_it_ran)])


def unfinished(measurements: Measurements) -> str:
    """That a run lacks cases, "" where it has all. Runs of earlier versions don't say how many they should have."""
    planned = measurements.executions[-1].get("cases") or 0
    found = len(measurements.frame)
    if found >= planned:
        return ""
    return f"The run has {found:,} of its {planned:,} cases: it was ended early, or hasn't ended yet."


def _while_it_ran(frame: pd.DataFrame) -> list[str]:
    return [*_cores(frame), *_disturbed(frame), *_drift(frame)]


def _disturbed(frame: pd.DataFrame) -> list[str]:
    """How many samples waited for a core. Runs of earlier versions don't say."""
    waits = np.array([wait for waits in frame["waits"] for wait in waits])
    if not len(waits):
        return []
    disturbed = int((waits > DISTURBED).sum())
    if not disturbed:
        return [f"None of {len(waits):,} samples was disturbed by other programs."]
    return [
        f"{disturbed:,} of {len(waits):,} samples waited for a core for more than {DISTURBED:.0%} of their time, as"
        " other programs ran. They count like the others."
    ]


def _drift(frame: pd.DataFrame) -> list[str]:
    """How steady the machine was."""
    taken = [value for calibration in frame["calibration_seconds"] for value in calibration]
    if not taken:
        return []
    low, high = min(taken), max(taken)
    return [
        f"A fixed calculation, repeated before and after the rounds of each block, took {seconds(low)} to"
        f" {seconds(high)}: the machine's speed changed by {high / low - 1:.0%}."
    ]


def told(execution: About) -> str:
    """The warnings of an execution as a cell of a table."""
    found = execution.get("warnings")
    return "not checked" if found is None else listing(found) if found else "none"


def _when(execution: About) -> str:
    return f" at {execution['time']}{on_worker(execution)}"


def on_worker(execution: About) -> str:
    """The worker of a cluster that an execution is of, to go on a sentence with; "" if it isn't of a cluster."""
    return f" on the worker {execution['worker']}" if "worker" in execution else ""


def _cores(frame: pd.DataFrame) -> list[str]:
    """Of the cases with one thread."""
    timed = frame[(frame["status"] == "ok") & (frame["threads"] == 1) & (frame["device"] == "cpu")]
    known = timed["cpu_ratio"].dropna()
    if known.empty:
        return []
    low, high = known.min(), known.max()
    if low < WAITED:
        return [f"Cases waited for their core (processor over wall time down to {low:.2f})."]
    return [f"Every case had its core to itself (processor over wall time {span(low, high, decimal)})."]
