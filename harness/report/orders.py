"""The observed order of the gradient, beside the theoretical one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from harness.frames import numbers
from harness.measure.statistics import slope_interval
from harness.registry import Registry

AXES = ["problem", "noise", "calculus", "scheme", "method", "dim", "batch", "dtype", "brownian"]
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
    problem, and `verdict` says how the two compare.
    """
    rows = []
    known = frame[(frame["status"] == "ok") & frame["gradient_error_theta"].map(bool)]
    for key, group in known.groupby(AXES, sort=False):
        place = dict(zip(AXES, np.atleast_1d(np.array(key, dtype=object)), strict=True))
        if group["steps"].nunique() < LEAST:
            continue
        theory, note = _theory(place, registry)
        for of in ("theta", "y0"):
            errors = group[f"gradient_error_{of}"]
            if not any(any(v) for v in errors.map(numbers)):
                continue  # nothing that the gradient could be wrong in
            rows.append({**place, "of": of.replace("theta", "θ"), **_fit(group, of), "theory": theory, "note": note})
    return pd.DataFrame([{**row, "verdict": _verdict(row)} for row in rows], columns=COLUMNS)


def tally(verdicts: Sequence[str]) -> str:
    """A sentence on how many fitted orders meet theory, and what the others do."""
    stated, other = "are off for a stated reason", "are off or not fitted"
    kinds = Counter(v if v in (MET, COVERED) else stated if ": " in v else other for v in verdicts)
    words = {MET: f"lie within {AGREES} of theory", COVERED: "have an interval that covers it"}
    parts = [f"{count} {words.get(kind, kind)}" for kind, count in kinds.most_common()]
    return f"Of {len(verdicts)} orders of θ and y0 {', '.join(parts)}."


def _fit(group: pd.DataFrame, of: str) -> dict[str, Any]:
    column = f"gradient_error_{of}"
    resolved = group[group[f"{column}_resolved"]].sort_values("steps")
    if len(resolved) < LEAST:
        return {"sizes": len(resolved), "order": np.nan, "low": np.nan, "high": np.nan}
    samples = np.array([numbers(v) for v in resolved[column]])
    slope, low, high = slope_interval(np.asarray(resolved["steps"], dtype=float), samples)
    return {"sizes": len(resolved), "order": -slope, "low": -high, "high": -low}


def _theory(place: dict[str, Any], registry: Registry) -> tuple[float | None, str]:
    """The scheme's order for the problem, and why the problem may show another; None where a plugin isn't here."""
    scheme = registry.schemes.get(place["scheme"])
    try:
        problem = registry.problem(
            place["problem"], noise=place["noise"], calculus=place["calculus"], dim=int(place["dim"])
        )
    except ValueError:
        return None, ""
    if scheme is None:
        return None, ""
    return scheme.order(problem), problem.order_note(scheme.name) or scheme.order_note


def _verdict(row: dict[str, Any]) -> str:
    if np.isnan(row["order"]):
        return f"not resolved at {LEAST} step sizes"
    if row["theory"] is None:
        return "no theory known"
    if abs(row["order"] - row["theory"]) <= AGREES:
        return MET
    if row["low"] <= row["theory"] <= row["high"]:
        return COVERED
    off = "above theory" if row["order"] > row["theory"] else "below theory"
    return f"{off}: {row['note']}" if row["note"] else off
