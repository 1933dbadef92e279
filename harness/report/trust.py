"""Whether the numbers of a page can be trusted, in a sentence or two: what the machine did wrong."""

from __future__ import annotations

import pandas as pd

from harness.report.answer.general import WAITED, by_machine
from harness.report.format import listing
from harness.section import Measurements
from harness.store import About


def warnings(measurements: Measurements) -> list[str]:
    """What was wrong with the machine when an execution began, a sentence each."""
    several = len(measurements.executions) > 1
    return [
        f"The machine had a fault when the run began{_when(execution) if several else ''}: {warning}."
        for execution in measurements.executions
        for warning in execution.get("warnings") or ()
    ]


def machine(measurements: Measurements) -> str:
    """What was checked of the machine, and how much of their cores the cases had."""
    if not all("warnings" in execution for execution in measurements.executions):
        began = "This run is of a version that did not check its machine."
    elif warnings(measurements):
        began = "The machine had faults when the run began: see the notes above the answer."
    else:
        began = "The machine was checked when the run began: no warning."
    return " ".join([began, *by_machine(measurements.frame, _cores)])


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
    return [f"Every case had its core to itself (processor over wall time {low:.2f} to {high:.2f})."]
