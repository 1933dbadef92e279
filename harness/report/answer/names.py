"""Cases and groups of methods in words."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

from harness.record import Row
from harness.report.answer.contest import Ratio
from harness.report.format import error, listing, seconds, size


def case_name(row: Row, among: pd.DataFrame) -> str:
    """The method, with its scheme and tolerances where those around it have several."""
    words = [row["method"]]
    if among["scheme"].nunique() > 1:
        words.append(f"with {row['scheme']}")
    if row["stepping"] == "adaptive":
        words.append("and adaptive steps" if len(words) > 1 else "with adaptive steps")
        tolerances = [f"{axis} {row[axis]:g}" for axis in ("rtol", "atol") if among[axis].nunique() > 1]
        words += [f"({', '.join(tolerances)})"] if tolerances else []
    return " ".join(words)


def costs(row: Row) -> str:
    """Time, memory and error of a row of `standings`, as far as they are known, in parentheses."""
    told = [write(row[column]) for column, write in WRITTEN.items() if not math.isnan(row[column])]
    if math.isnan(row["error"]) and row["exact"] is not None:
        told.append("exact" if row["exact"] else "biased")
    return f"({', '.join(told)})"


WRITTEN = {"seconds_median": seconds, "peak_bytes": size, "error": lambda value: f"error {error(value)}"}


def by_approach(methods: Iterable[str]) -> str:
    """The methods, those of one approach together: backprop (jax and torch) and torchsde/adjoint."""
    backends: dict[str, list[str]] = {}
    for method in methods:
        backend, _, approach = method.partition("/")
        backends.setdefault(approach, []).append(backend)
    return listing(
        [
            f"{approach} ({listing(several)})" if len(several) > 1 else f"{several[0]}/{approach}"
            for approach, several in backends.items()
        ]
    )


def times(value: float) -> str:
    """A ratio of at least 1: 1.08, 2.4, 16 or 340 times."""
    return f"{value:.2f} times" if value < 1.995 else f"{value:.1f} times" if value < 9.95 else f"{value:,.0f} times"


def longer(ratio: Ratio) -> str:
    """How much longer, with the interval."""
    return f"takes {times(ratio.value)} as long" + interval(ratio)


def interval(ratio: Ratio) -> str:
    """The 95% interval in parentheses; nothing where the two weren't timed in turn."""
    if not ratio.paired:
        return ""
    return " (one round)" if ratio.low == ratio.high else f" (95% interval {_bound(ratio.low)} to {_bound(ratio.high)})"


def _bound(value: float) -> str:
    """Three digits at least: an interval is often narrower than the figure before it shows."""
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"
