"""What a suite asks: a measure, and the axis along which the work grows."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from harness.columns import COLUMNS
from harness.figure import Scaling, Speedups
from harness.figure.abstract import AbstractPanels
from harness.grouping import KEYS
from harness.suite import Question, Suite

MEASURE: dict[Question, str] = {
    "time": "seconds_median",
    "memory": "peak_bytes",
    "error": "gradient_error_theta_median",
    "adjoint_error": "adjoint_error_theta_median",
}
"""The column by which the answer is sorted. Questions that aren't here are answered by a table of their own."""
GROWING = ("steps", "dim", "batch")
"""The axes along which work grows, where no figure names one."""


@dataclass(frozen=True)
class Asked:
    """`about` says what is asked; `over` is the axis that grows, None where nothing does."""

    about: Question
    over: str | None

    @property
    def column(self) -> str:
        """What the answer is sorted by: the time where a question has no column of its own."""
        return MEASURE.get(self.about, MEASURE["time"])


def asked(suite: Suite, frame: pd.DataFrame) -> Asked:
    """What the suite says that it asks, or else what its tables, its first figure and its measures are about."""
    return Asked(suite.question or _implied(suite), _over(suite, frame))


def _implied(suite: Suite) -> Question:
    if "orders" in suite.tables:
        return "order"
    if "exponents" in suite.tables:
        return "growth"
    for figure in suite.report[:1]:
        if isinstance(figure, Speedups):
            return "speedup"
        drawn = figure.y if isinstance(figure, AbstractPanels) else ""
        for about, column in MEASURE.items():
            if drawn == column:
                return about
    for about in ("time", "memory", "error", "adjoint_error"):
        if about in suite.measure:
            return about
    return "time"


def _over(suite: Suite, frame: pd.DataFrame) -> str | None:
    """The numeric axis with several values that the first figure has as its x, or the first that grows."""
    drawn = [figure.x for figure in suite.report if isinstance(figure, Scaling) and figure.x in KEYS]
    for axis in (*drawn, *GROWING):
        if COLUMNS[axis].numeric and frame[axis].nunique() > 1:
            return axis
    return None
