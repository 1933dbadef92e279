"""The fastest case for an error of the gradient, of any size."""

from __future__ import annotations

import pandas as pd

from harness.record import Row
from harness.report.answer.contest import with_error
from harness.report.answer.names import case_name
from harness.report.answer.regimes import Regime
from harness.report.format import seconds
from harness.report.tables import dicts

LEVELS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
"""Errors of the gradient, relative, for each of which the fastest case is named."""


def fastest_for(regime: Regime) -> list[str]:
    """The fastest case below each level that a case of the regime reaches: 0.01: jax/backprop at 64 steps (91 µs).

    A case that is the fastest below several levels stands once, at the smallest.
    """
    rows = with_error(regime.sizes)
    timed = rows[rows["gradient_error_theta_median"].notna() & rows["seconds_median"].notna()]
    timed = timed.sort_values("seconds_median")
    winners: dict[str, tuple[Row, float]] = {}
    for level in LEVELS:
        for row in dicts(timed[timed["error"] <= level].head(1)):
            winners[row["case"]] = row, level
    return [
        f"{level:g}: {at_size(row, timed, regime)} ({seconds(row['seconds_median'])})"
        for row, level in winners.values()
    ]


def at_size(row: Row, among: pd.DataFrame, regime: Regime) -> str:
    """A case by its name, and its steps where these grow."""
    at = f" at {row['steps']:,} steps" if regime.over == "steps" and row["stepping"] == "fixed" else ""
    return case_name(row, among) + at
