"""Groups of records that differ only in what is varied on purpose, and the words that tell groups apart.

Whatever draws a line, fits a slope or takes a mean groups its records here. It names what it varies; every other axis
is held fixed, also one that is added to `Case` later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd

from harness.case import AXES, FIELDS
from harness.record import Row

MACHINE = "machine"
"""The column of the machine that measured a record. See `harness/machines.py`."""
KEYS = (*AXES, "seed", MACHINE)
"""What names a case, and where it was measured. The seed and the machine differ only between runs."""
HOW = (*(column.name for column in FIELDS if column.how), MACHINE)
"""How a case is computed. Summaries over many cases never mix these."""
WHAT = tuple(axis for axis in KEYS if axis not in ("method", *HOW))
"""What is computed: the problem, the scheme and the sizes. Summaries of a method go over these."""


BASELINES = ("floor", "solve")
"""The approaches that compute no gradient: yardsticks for time, which no table of methods has."""


NAMED_FIRST = tuple(dict.fromkeys(("scheme", "noise", "calculus", "problem", *KEYS)))
"""The axes in the order in which they stand in a name."""


def gradients(records: pd.DataFrame) -> pd.DataFrame:
    """The records of methods that compute a gradient."""
    return records[~records["approach"].isin(BASELINES)]


def precisions(records: pd.DataFrame) -> pd.Series:
    """What limits the digits of each record's gradient: `float64`, `float32` or `tf32`."""
    return records["dtype"].where(records["matmul"] == "full", records["matmul"])


def groups(
    frame: pd.DataFrame, *, varied: Iterable[str], also: Iterable[str] = (), sort: bool = False
) -> Iterator[tuple[Row, pd.DataFrame]]:
    """The records that are equal in every axis but the `varied` ones: the values that they share, and the records.

    `also` are columns besides the axes that hold a group together. Groups come in the order of their first record, or
    sorted by `also` and the axes.
    """
    left = set(varied)
    columns = [*also, *(axis for axis in KEYS if axis not in left)]
    for key, group in frame.groupby(columns, sort=sort, dropna=False):
        yield dict(zip(columns, key, strict=True)), group


def differing(frame: pd.DataFrame, *, within: Iterable[str] = (), but: Iterable[str] = ()) -> list[str]:
    """The axes with several values in the frame, in the order of `Case`, without those in `but`.

    With `within`, the axes that have several values among records that are equal in these columns.
    """
    left, columns = set(but), list(within)
    axes = [axis for axis in KEYS if axis in frame.columns and axis not in left]
    several = [axis for axis in axes if frame[axis].nunique(dropna=False) > 1]
    if not columns or not several:
        return several
    counts = frame.groupby(columns, dropna=False)[several].nunique(dropna=False)
    return [axis for axis in several if (counts[axis] > 1).any()]


def telling(frame: pd.DataFrame, named: Iterable[str] = (), *, but: Iterable[str] = ()) -> list[str]:
    """The axes to name besides the columns `named`, so that records of different settings have different names.

    An axis that follows from those named before it isn't named: where each scheme has one calculus, the scheme tells
    it. The machine is always named where there are several. Axes in `but` are never named.
    """
    told, left = list(named), {*named, *but, MACHINE}
    axes: list[str] = []
    for axis in NAMED_FIRST:
        found = differing(frame, within=told, but=left)
        if not found:
            break
        if axis in found:
            axes.append(axis)
            told.append(axis)
            left.add(axis)
    several = MACHINE in frame and frame[MACHINE].nunique(dropna=False) > 1
    return [*axes, MACHINE] if several and MACHINE not in {*named, *but} else axes


def words(place: Row, axes: Iterable[str]) -> list[str]:
    """The values of these axes: words as they are, numbers after the name of the axis.

    Missing values are left out, as is the calculus where there is no noise.
    """
    without = {"calculus"} if place.get("noise") == "none" else set()
    values = {axis: place[axis] for axis in axes if axis not in without and not pd.isna(place[axis])}
    return [value if isinstance(value, str) else f"{axis} {value:.10g}" for axis, value in values.items()]
