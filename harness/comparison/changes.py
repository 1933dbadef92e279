"""The changes between two runs: a row a case and quantity, with its ratio, interval and verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from harness.comparison.environments import Difference, differences, kinds
from harness.comparison.quantities import Compared, Quantity, quantities
from harness.comparison.verdict import BETTER, WORSE, verdict
from harness.errors import InputError, one_of
from harness.frames import load
from harness.grouping import KEYS, MACHINE
from harness.record import Row
from harness.report.tables import dicts
from harness.store import Run, open_run

AXES = [axis for axis in KEYS if axis != MACHINE]
CHANGES = ["case", *AXES, "quantity", "unit", "before", "after", "ratio", "low", "high", "verdict", "remark"]
STATUSES = ["case", *AXES, "before", "after", "reason", "verdict"]
Place: TypeAlias = "str | Path | Run"
"""A run: the path of its folder, the name of a suite for its newest run, or the run itself."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two runs, the earlier one `before` and the later one `after`, and what changed from one to the other.

    `changes` has a row a case and quantity that both runs measured: the case's axes, the `quantity` and its `unit`,
    `before` and `after`, the ratio after over before, the ends `low` and `high` of its 95% interval, the `verdict`
    (`worse`, `better`, `same`, or `unclear` where the data cannot tell) and a `remark` that says why a ratio isn't
    judged. `statuses` has a row a case whose status changed. `only_before` and `only_after` count the cases that one
    run has alone.

    `environment` are the differences of the machines, versions and settings. `other_machines` are the kinds of
    machine, where they differ. `machine_ratio` is how much longer the harness's fixed calculation took after than
    before, None where a run didn't record it.
    """

    before: Run
    after: Run
    threshold: float
    relative_to: str
    changes: pd.DataFrame
    statuses: pd.DataFrame
    only_before: int
    only_after: int
    environment: Sequence[Difference]
    other_machines: tuple[str, ...]
    machine_ratio: float | None

    def regressions(self, bound: float) -> pd.DataFrame:
        """The changes whose whole interval lies above 1 + `bound`."""
        return self.changes[(self.changes["low"] > 1 + bound) & (self.changes["remark"] == "")]

    @property
    def broken(self) -> pd.DataFrame:
        """The cases that were `ok` before and aren't any more."""
        return self.statuses[self.statuses["verdict"] == WORSE]


def compare(
    before: Place,
    after: Place,
    *,
    threshold: float = 0.05,
    relative_to: str = "",
    only: Sequence[str] = (),
    across_machines: bool = False,
) -> Comparison:
    """Compare two runs case by case.

    `threshold` is the part by which a value has to change to count. With `relative_to`, the name of a method whose code
    is the same in both runs, times are divided by those of that method in the same rounds and with the same scheme, so
    that a machine that became slower as a whole makes no difference. `only` has filters `axis=glob`. Times of two kinds
    of machine are not judged, unless `across_machines` is set.

    Raises InputError where a path holds no run, where the runs have no case in common, or where a name is unknown.
    """
    runs = [place if isinstance(place, Run) else open_run(Path(place)) for place in (before, after)]
    frames = [_records(run, only) for run in runs]
    if relative_to:
        _refuse_unknown(relative_to, frames)
    old, new = ({row["case"]: row for row in dicts(frame)} for frame in frames)
    common = [case for case in old if case in new]
    if not common:
        raise InputError(runs[1].folder, "", f"has no case in common with {runs[0].folder}")
    machines = [kinds(run) for run in runs]
    compared = Compared(
        peers=[_peers(frame) for frame in frames],
        relative_to=relative_to,
        same_kind=lambda case: across_machines or machines[0][case] == machines[1][case],
    )
    changes = [
        _change(old[case], new[case], quantity, compared, threshold) for case in common for quantity in quantities()
    ]
    statuses = [_status(old[case], new[case]) for case in common if old[case]["status"] != new[case]["status"]]
    found = [sorted({machine[case] for case in common}) for machine in machines]
    return Comparison(
        before=runs[0],
        after=runs[1],
        threshold=threshold,
        relative_to=relative_to,
        changes=pd.DataFrame([change for change in changes if change is not None], columns=CHANGES),
        statuses=pd.DataFrame(statuses, columns=STATUSES),
        only_before=len(old) - len(common),
        only_after=len(new) - len(common),
        environment=differences(*(run.about()["executions"][-1] for run in runs)),
        other_machines=tuple("; ".join(names) for names in found) if found[0] != found[1] else (),
        machine_ratio=_machine_ratio(*frames),
    )


def _records(run: Run, only: Sequence[str]) -> pd.DataFrame:
    """The newest record of each case, those that match the filters."""
    frame = load(run.folder).drop_duplicates("case", keep="last")
    for text in only:
        axis, _, glob = text.partition("=")
        if axis not in AXES:
            raise InputError("--only", axis, "is no axis", one_of(AXES, axis))
        frame = frame[[fnmatchcase(str(value), glob) for value in frame[axis]]]
    return frame


def _refuse_unknown(method: str, frames: Sequence[pd.DataFrame]) -> None:
    timed = [set(frame.loc[frame["seconds"].map(bool), "method"]) for frame in frames]
    if any(method not in names for names in timed):
        raise InputError(
            "--relative-to", "", f"{method!r} wasn't timed in both runs", one_of(timed[0] & timed[1], method)
        )


def _peers(frame: pd.DataFrame) -> Mapping[tuple[str, str, str], Row]:
    """The timed records by what they were timed beside, their scheme and their method."""
    return {(row["pairing"], row["scheme"], row["method"]): row for row in dicts(frame) if row["seconds"]}


def _change(old: Row, new: Row, quantity: Quantity, compared: Compared, threshold: float) -> dict[str, object] | None:
    """None where one of the runs didn't measure it."""
    if old["status"] != "ok" or new["status"] != "ok":
        return None
    found = quantity.change(old, new, compared)
    if found is None:
        return None
    judged = verdict(found.low, found.high, threshold) if not found.remark else found.verdict
    return {
        "case": new["case"],
        **{axis: new[axis] for axis in AXES},
        "quantity": quantity.name,
        "unit": found.unit,
        "before": found.before,
        "after": found.after,
        "ratio": found.ratio,
        "low": found.low,
        "high": found.high,
        "verdict": judged,
        "remark": found.remark,
    }


def _status(old: Row, new: Row) -> dict[str, object]:
    return {
        "case": new["case"],
        **{axis: new[axis] for axis in AXES},
        "before": old["status"],
        "after": new["status"],
        "reason": new["reason"] if new["status"] != "ok" else old["reason"],
        "verdict": WORSE if old["status"] == "ok" else BETTER if new["status"] == "ok" else "same",
    }


def _machine_ratio(before: pd.DataFrame, after: pd.DataFrame) -> float | None:
    medians = [
        float(np.median(values))
        if (values := [x for taken in frame["calibration_seconds"] for x in taken])
        else math.nan
        for frame in (before, after)
    ]
    ratio = medians[1] / medians[0]
    return None if math.isnan(ratio) else ratio
