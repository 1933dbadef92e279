"""The changes between two runs: a row a case and quantity, with its ratio, interval and verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from harness.plan import matches, parse_filter
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
    """What changed between two runs, the earlier one `before` and the later one `after`.

    - `changes`: one row per case and quantity that both runs measured. It has the axes of the case, the `quantity` and
      its `unit`, the values `before` and `after`, their `ratio` (after divided by before) with the ends `low` and
      `high` of its 95% interval, the `verdict` ("worse", "better", "same", or "unclear" if the data can't tell), and a
      `remark` if there is a special reason for the verdict.
    - `statuses`: one row per case whose status changed.
    - `only_before`, `only_after`: how many cases only one of the runs has.
    - `environment`: the differences in machine, versions and settings.
    - `other_machines`: the kinds of machine, if they differ.
    - `machine_ratio`: how many times as long the harness's fixed calculation took in the later run; None if a run
      didn't record it.
    """

    before: Run
    after: Run
    records: pd.DataFrame
    """Those of `after`."""
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
        """The changes whose whole interval lies above 1 + `bound`; `bound=0.1` means 10%."""
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
    """Compare the times, peak memory and errors of two runs case by case.

    - `before`, `after`: the runs: a folder, the name of a suite for its newest run, or a `Run`.
    - `threshold`: changes smaller than this don't count; 0.05 means 5%.
    - `relative_to`: a method whose code is the same in both runs. Times are divided by its times in the same rounds and
      with the same scheme, which removes the effect of a machine that became slower.
    - `only`: filters such as "method=diffrax/*".
    - `across_machines`: judge times even if the runs are from different kinds of machine.

    Raises InputError if there is no run, if the runs have no case in common, or if a name is unknown.
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
        records=frames[1],
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
    for axis, glob in map(parse_filter, only):
        frame = frame[[matches(value, glob) for value in frame[axis]]]
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
