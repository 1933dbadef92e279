"""Which cases are best: the fastest with those that the samples can't tell from it, and the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.frames import paired_samples
from harness.grouping import gradients, precisions
from harness.measuring.statistics import intervals_of, ratios_of_rounds
from harness.record import Row
from harness.report.tables import dicts

ROUNDING = {"float64": 1e-10, "float32": 1e-4, "tf32": 1e-2}
"""An error against the same discrete solve above this is a bias of the method, by the precision of the case.

Products in TF32 cost a gradient some 1e-4 to 1e-3 (`tests/methods/test_tf32.py`)."""
ALIKE = 0.1
"""Errors that differ by less than this, relative, are told as one: the error is the scheme's, not the method's."""
GOALS = ("seconds_median", "peak_bytes", "error")
"""What a front is made of: a case is on it where no other is better in all of these at once."""


@dataclass(frozen=True)
class Ratio:
    """How many times as long one case takes as another, with its 95% interval.

    `paired` says that the two were timed in turn. Else there is no interval, and the ends are NaN.
    """

    value: float
    low: float
    high: float
    paired: bool

    @property
    def undecided(self) -> bool:
        """Whether the two were timed in turn and the samples still don't say which is faster."""
        return self.paired and self.low <= 1 <= self.high


def least(rows: pd.DataFrame, column: str) -> Row:
    """The record with the smallest value in a column, the first of several."""
    return dicts(rows.iloc[[int(np.nanargmin(rows[column].to_numpy(dtype=float)))]])[0]


def compare(slower: Sequence[Row], faster: Row) -> list[Ratio]:
    """The time of each record over that of another."""
    paired = [bool(row["pairing"] == faster["pairing"] and row["seconds"] and faster["seconds"]) for row in slower]
    rounds = [
        ratios_of_rounds(paired_samples(row), paired_samples(faster)) if pair else ()
        for row, pair in zip(slower, paired, strict=True)
    ]
    return [
        Ratio(*map(float, interval), paired=True)
        if pair
        else Ratio(row["seconds_median"] / faster["seconds_median"], np.nan, np.nan, paired=False)
        for row, pair, interval in zip(slower, paired, intervals_of(rounds), strict=True)
    ]


def rounding_of(rows: pd.DataFrame) -> pd.Series:
    """The error of each record up to which its gradient is that of the discrete solve."""
    return precisions(rows).map(ROUNDING).astype(float)  # also where there are no rows, whose type would be text


def with_error(rows: pd.DataFrame) -> pd.DataFrame:
    """The records with a column `error`: that of the gradient where it was measured, else that of the adjoint.

    An error below what the reference resolves counts as the reference's bar, and a bias below rounding as rounding:
    nobody gains by less.
    """
    rounding = rounding_of(rows)
    gradient, adjoint = rows["gradient_error_theta_median"], rows["adjoint_error_theta_median"]
    gradient = gradient.where(gradient.isna() | (gradient > rows["reference_error"]), rows["reference_error"])
    adjoint = adjoint.where(adjoint.isna() | (adjoint > rounding), rounding)
    return rows.assign(error=gradient.fillna(adjoint).astype(float))


def pareto(frame: pd.DataFrame) -> pd.DataFrame:
    """The records that no other beats in time, peak memory and error at once, the fastest first.

    Takes those of `harness.load` that are `ok`, without floors; of time, memory and error, those that were measured.
    `error` is that of the gradient, or against the discrete solve where no other was measured. Compare like with like:
    keep one problem and one setting before.
    """
    rows = with_error(gradients(frame[frame["status"] == "ok"]))
    goals = [goal for goal in GOALS if rows[goal].notna().any()]
    rows = rows.dropna(subset=goals)
    values = rows[goals].to_numpy(dtype=float)
    beaten = [bool(((values <= v).all(axis=1) & (values < v).any(axis=1)).any()) for v in values]
    return rows[[not one for one in beaten]].sort_values(goals[:1])
