"""At which powers of the steps and of the parameters time and memory grow, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from harness.record import Row
from harness.report.answer.growth import FLAT
from harness.report.exponents import exponents
from harness.report.format import decimal, listing, span
from harness.report.tables import dicts
from harness.spec import base

ABOUT = 0.1
"""How far the power of a method may be from 1 where those of all methods are told together."""
NAMED = 4
"""Approaches with a power of their own in a sentence, those of the greatest powers."""


def powers(frame: pd.DataFrame) -> list[str]:
    """A sentence for each of steps and parameters, and for each of time and memory.

    The power is that of the table of exponents: the log–log slope, or for memory what grows beside its constant part.
    """
    found = exponents(frame)
    told = []
    for grows, rows in found.groupby("grows", sort=False):
        for measure in ("time", "memory"):
            told += _sentence(rows, str(grows), measure)
    return told


def _sentence(rows: pd.DataFrame, grows: str, measure: str) -> Iterator[str]:
    known = rows.assign(power=[_power(row, measure) for row in dicts(rows)]).dropna(subset=["power"])
    if known.empty:
        return
    approaches = [base(method).partition("/")[2] for method in known["method"]]
    bounds = known.groupby(approaches, sort=False)["power"].agg(["min", "max"])
    still, growing = bounds[bounds["max"] <= FLAT], bounds[bounds["max"] > FLAT]
    words = []
    if len(still):
        words.append(f"stays the same in {listing(list(still.index))}")
    if len(growing):
        words.append(f"grows {_growth(growing, of_all=still.empty)}")
    yield f"With the {grows} ({_sizes(known)}), {measure} {'; it '.join(words)}."


def _growth(bounds: pd.DataFrame, *, of_all: bool) -> str:
    """In proportion, or the powers of the approaches that are in `bounds`, the greatest first."""
    low, high = bounds["min"].min(), bounds["max"].max()
    if max(abs(low - 1), abs(high - 1)) <= ABOUT:
        where = "every method" if of_all else listing(list(bounds.index))
        return f"in proportion in {where} (powers from {low:.2f} to {high:.2f})"
    bounds = bounds.sort_values("max", ascending=False, kind="stable")
    listed = [f"{approach} {span(row['min'], row['max'], decimal)}" for approach, row in bounds.head(NAMED).iterrows()]
    if len(bounds) > NAMED:
        listed.append(f"the others at most {decimal(bounds['max'].iloc[NAMED])}")
    return f"as a power of their number: {listing(listed)}"


def _power(row: Row, measure: str) -> float:
    slope = row[measure]
    if measure == "memory" and slope > FLAT and not math.isnan(row["memory_growth"]):
        return max(slope, row["memory_growth"])
    return slope


def _sizes(rows: pd.DataFrame) -> str:
    ends = [int(size) for words in rows["sizes"] for size in words.split(" to ")]
    return f"{min(ends):,} to {max(ends):,}"
