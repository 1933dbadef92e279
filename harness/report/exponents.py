"""The powers of steps and parameters at which time and memory grow: Table 1 of Li et al. 2020, measured."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.grouping import KEYS, groups
from harness.measuring.statistics import growth_exponent, median_slope, slope_interval
from harness.spec import base

LEAST = 3
"""Sizes that a fit needs."""
PAPER = {
    "forward": ("O(L D)", "O(1)"),
    "backprop": ("O(L)", "O(L)"),
    "adjoint": ("O(L log L)", "O(1)"),
}
"""Time and memory by Table 1 of the paper, L being the steps and D states and parameters. Its adjoint is on a tree."""
FITS = [f"{of}{end}" for of in ("time", "memory") for end in ("", "_low", "_high")]
COLUMNS = [*KEYS, "grows", "sizes", *FITS, "memory_growth"]


def exponents(frame: pd.DataFrame) -> pd.DataFrame:
    """A row a method and setting, and for steps and parameters: log–log slopes with 95% intervals, and the paper's.

    Time's interval is had by resampling the rounds of each size; memory's, with one value a size, by least squares, as
    time's where a size has one round. A constant part of either bends a line: over small sizes a slope lies below the
    power that it tends to. For memory that power is fitted too, with a constant beside it (`memory_growth`); blank
    where memory hardly grows.

    While steps grow, everything else is held. While parameters grow, so is everything but the problem's own
    parameters (`neural(width=8)`, `neural(width=16)`), and `problem` is the name that they share.
    """
    known = frame[frame["status"] == "ok"]
    families = known.assign(problem=[base(spec) for spec in known["problem"]])
    rows = []
    for grows, settings in (
        ("steps", groups(known, varied=["steps"])),
        ("parameters", groups(families, varied=[])),
    ):
        for place, group in settings:
            if group[grows].nunique() < LEAST:
                continue
            group = group.sort_values(grows).drop_duplicates(grows)
            x = np.asarray(group[grows], dtype=float)
            rows.append({**place, "grows": grows, "sizes": sizes(x), **_time(x, group), **_memory(x, group)})
    found = pd.DataFrame(rows, columns=COLUMNS)
    approach = [base(method).partition("/")[2] for method in found["method"]]
    found["paper_time"] = [PAPER.get(a, ("", ""))[0] for a in approach]
    found["paper_memory"] = [PAPER.get(a, ("", ""))[1] for a in approach]
    return found


def sizes(x: np.ndarray) -> str:
    """From where to where."""
    return f"{int(x[0])} to {int(x[-1])}"


def _time(x: np.ndarray, group: pd.DataFrame) -> dict[str, float]:
    rounds = [list(values) for values in group["seconds"]]
    return _named("time", median_slope(x, rounds) if all(rounds) else None)


def _memory(x: np.ndarray, group: pd.DataFrame) -> dict[str, float]:
    peaks = np.asarray(group["peak_bytes"], dtype=float)
    if np.isnan(peaks).any() or (peaks <= 0).any():
        return {**_named("memory", None), "memory_growth": np.nan}
    return {**_named("memory", slope_interval(x, peaks[:, None])), "memory_growth": growth_exponent(x, peaks)}


def _named(of: str, fit: tuple[float, float, float] | None) -> dict[str, float]:
    slope, low, high = fit or (np.nan,) * 3
    return {of: slope, f"{of}_low": low, f"{of}_high": high}
