"""The observed order of the gradient, beside the theoretical one."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from harness.frames import numbers
from harness.grouping import KEYS, groups
from harness.measuring.statistics import slope_change, slope_interval
from harness.record import Row
from harness.registry import Registry
from harness.section import Measurements

AXES = [axis for axis in KEYS if axis != "steps"]
LEAST = 5
"""Step sizes that a fit needs."""
AGREES = 0.15
"""How far a fitted order may lie from theory to count as met."""
MET, COVERED = "as theory says", "the interval covers theory"
"""Verdicts."""
COLUMNS = [*AXES, "of", "sizes", "order", "low", "high", "theory", "verdict"]


def orders(frame: pd.DataFrame, registry: Registry) -> pd.DataFrame:
    """A row a setting, scheme and method, and for θ and y0: the order at which the gradient's error falls.

    `order` is minus the log–log slope of the median error over the steps, `low` and `high` bound its 95% interval over
    the paths, `sizes` counts the step sizes whose errors are resolved, `theory` is the scheme's strong order for the
    problem, and `verdict` says how the two compare. An order above theory has a reason where there is one in the
    problem or the scheme (`order_note`), and any that is off where the errors show it: *pre-asymptotic*, the order
    coming nearer to theory as the steps get finer (see `_approach`). Where too few sizes are left, some having no
    finite gradient, the verdict says so.
    """
    rows = []
    tried = frame[frame["gradient_error_theta"].astype(bool)]
    for place, attempts in groups(tried, varied=["steps"]):
        if attempts["steps"].nunique() < LEAST:
            continue
        theory, notes = _theory(place, registry)
        group = attempts[attempts["status"] == "ok"]
        about = {"theory": theory, "notes": notes, "failed": len(attempts) - len(group)}
        for of in ("theta", "y0"):
            errors = attempts[f"gradient_error_{of}"]
            if not any(any(v) for v in errors.map(numbers)):
                continue  # nothing that the gradient could be wrong in
            rows.append({**place, "of": of.replace("theta", "θ"), **_fit(group, of, theory), **about})
    return pd.DataFrame([{**row, "verdict": _verdict(row)} for row in rows], columns=COLUMNS)


def tally(verdicts: Sequence[str]) -> str:
    """A sentence on how many fitted orders meet theory, and what the others do."""
    stated, other = "are off for a stated reason", "are off or not fitted"
    kinds = Counter(v if v in (MET, COVERED) else stated if ": " in v else other for v in verdicts)
    words = {MET: f"lie within {AGREES} of theory", COVERED: "have an interval that covers it"}
    parts = [f"{count} {words.get(kind, kind)}" for kind, count in kinds.most_common()]
    return f"Of {len(verdicts)} orders of θ and y0 {', '.join(parts)}."


def _fit(group: pd.DataFrame, of: str, theory: float | None) -> dict[str, float | str]:
    column = f"gradient_error_{of}"
    resolved = group[group[f"{column}_resolved"]].sort_values("steps")
    if len(resolved) < LEAST:
        return {"sizes": len(resolved), "order": np.nan, "low": np.nan, "high": np.nan, "approach": ""}
    steps = np.asarray(resolved["steps"], dtype=float)
    samples = np.array([numbers(v) for v in resolved[column]])
    slope, low, high = slope_interval(steps, samples)
    fit = {"sizes": len(resolved), "order": -slope, "low": -high, "high": -low}
    return {**fit, "approach": _approach(steps, samples, theory)}


def _approach(steps: np.ndarray, samples: np.ndarray, theory: float | None) -> str:
    """How the order comes nearer to theory from the coarser half of the steps to the finer one; "" where it doesn't.

    The finer half must lie within `AGREES` of theory or have come nearer by as much, and the change's 95% interval over
    the paths mustn't hold zero. With one path (an ODE) there is no interval: the finer half must lie within `AGREES`,
    or each order between neighbouring steps must be nearer to theory than the one before.
    """
    if theory is None:
        return ""
    first, second, low, high = slope_change(steps, samples)
    coarse, fine = -first, -second
    come = abs(coarse - theory) - abs(fine - theory)
    if samples.shape[1] == 1:
        local = -np.diff(np.log(samples[:, 0])) / np.diff(np.log(steps))
        coming = come > 0 and bool((np.diff(abs(local - theory)) < 0).all())
    else:
        coming = come >= AGREES
    arrived = come > 0 and abs(fine - theory) <= AGREES
    if not (arrived or coming) or low <= 0 <= high:
        return ""
    ends = [int(steps[i]) for i in (0, len(steps) // 2, -1)]
    return f"pre-asymptotic, {coarse:.2f} from {ends[0]} to {ends[1]} steps, {fine:.2f} to {ends[2]}"


def _theory(place: Row, registry: Registry) -> tuple[float | None, tuple[str, str]]:
    """The scheme's order for the problem, and the notes on it of both; None where a plugin isn't here."""
    scheme = registry.schemes.get(place["scheme"])
    try:
        problem = registry.problem(
            place["problem"], noise=place["noise"], calculus=place["calculus"], dim=int(place["dim"])
        )
    except ValueError:
        return None, ("", "")
    if scheme is None:
        return None, ("", "")
    return scheme.order(problem), (problem.order_note(scheme.name), scheme.order_note)


def _verdict(row: Row) -> str:
    if np.isnan(row["order"]):
        failed = f", {row['failed']} having no finite gradient" if row["failed"] else ""
        return f"not resolved at {LEAST} step sizes{failed}"
    if row["theory"] is None:
        return "no theory known"
    if abs(row["order"] - row["theory"]) <= AGREES:
        return MET
    above = row["order"] > row["theory"]
    off = "above theory" if above else "below theory"
    # The notes explain a higher order.
    of_problem, of_scheme = row["notes"] if above else ("", "")
    if row["low"] <= row["theory"] <= row["high"]:
        return f"{off}: {row['approach']}" if row["approach"] else COVERED
    reasons = [reason for reason in (of_problem, row["approach"]) if reason] or [of_scheme]
    return f"{off}: {'; '.join(reasons)}" if any(reasons) else off


@functools.lru_cache(maxsize=1)
def fitted(measurements: Measurements) -> pd.DataFrame:
    """The orders, none where the suite doesn't ask for them. A page fits them once: its answer sums them up."""
    if "orders" not in measurements.suite.tables:
        return pd.DataFrame(columns=COLUMNS)
    return orders(measurements.frame, measurements.registry)
