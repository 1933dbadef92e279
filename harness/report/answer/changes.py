"""How time, memory and error change along the axis that grows, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import pandas as pd

from harness.record import Row
from harness.report.answer.growth import FLAT, slope
from harness.report.answer.names import case_name
from harness.report.answer.regimes import Regime
from harness.report.tables import dicts

ERROR = "gradient_error_theta_median"
MEASURES = {"seconds_median": "time", "peak_bytes": "memory", ERROR: "the gradient error"}
ADJOINT = {"adjoint_error_theta_median": "the adjoint error"}


def changes(regime: Regime, table: pd.DataFrame, measures: Mapping[str, str] = MEASURES) -> Iterator[str]:
    """The least and the greatest power of each measure, of the cases in `table`. Errors below the bar don't count."""
    over = regime.over
    if over is None:
        return
    sizes = regime.sizes[regime.sizes["stepping"] == "fixed"]
    unit = "steps" if over == "steps" else ""
    span = f"From {'' if unit else f'{over} '}{sizes[over].min():,} to {sizes[over].max():,}{unit and f' {unit}'}"
    for column, noun in measures.items():
        known = sizes[sizes["gradient_error_theta_resolved"]] if column == ERROR else sizes
        found = _slopes(known, table, over, column)
        if found:
            yield f"{span}, {noun} {_change(found[0], found[-1], table, over)}."


def adjoint_changes(regime: Regime, table: pd.DataFrame) -> Iterator[str]:
    """The same of the error against the discrete solve, with every scheme."""
    del table
    return changes(regime, regime.cases, ADJOINT)


def _slopes(sizes: pd.DataFrame, table: pd.DataFrame, over: str, column: str) -> list[tuple[float, Row]]:
    """Of each case, the least first."""
    parts = dict(list(sizes.groupby(["method", "scheme"], sort=False)))
    rows = [row for row in dicts(table) if (row["method"], row["scheme"]) in parts]
    slopes = [(slope(parts[row["method"], row["scheme"]], over, column), row) for row in rows]
    return sorted((pair for pair in slopes if not math.isnan(pair[0])), key=lambda pair: pair[0])


def _change(least: tuple[float, Row], most: tuple[float, Row], table: pd.DataFrame, over: str) -> str:
    """From the least to the greatest, each with its case; one of them where all are alike."""
    low, high = (f"{over}^{value:.2f}" for value, _ in (least, most))
    first, last = (case_name(row, table) for _, row in (least, most))
    if abs(least[0]) <= FLAT and abs(most[0]) <= FLAT:
        return "stays the same"
    if abs(least[0]) <= FLAT:
        return f"stays the same ({first}) or grows, at most as {high} ({last})"
    verb = "falls" if most[0] < 0 else "grows" if least[0] > 0 else "changes"
    return f"{verb} as {low}" if low == high else f"{verb} as {low} ({first}) to {high} ({last})"
