"""How many times as fast native methods are as the libraries', in sentences."""

from __future__ import annotations

import pandas as pd

from harness.frames import geometric_mean, speedups
from harness.grouping import HOW, WHAT, differing, groups
from harness.record import Row
from harness.report.format import plural, speed
from harness.report.ratios import how, ratios, where
from harness.report.tables import dicts


def by_library(frame: pd.DataFrame) -> list[str]:
    """A sentence a library, on all native methods against all of its own, and one on where the least ratio is.

    Ways of computing (`HOW`: the sampler and others) stand one after the other; the least is that of the first.
    """
    pairs = speedups(frame)
    pairs = pairs.assign(package=pairs["library"].str.partition("/")[0])
    axes = [axis for axis in differing(pairs) if axis in HOW]
    sentences = []
    for package, of_package in pairs.groupby("package"):
        (place, rows), *others = groups(of_package, varied=["method", *WHAT], sort=True)
        words = ", ".join([f"{_range(rows)} as those of {package} with the same scheme", *how(place, axes)])
        words += f" ({_count(rows)})"
        words += "".join(f"; {', '.join(how(key, axes))} {_range(part)} ({_count(part)})" for key, part in others)
        least = dicts(rows.sort_values("ratio").head(1))[0]
        closest = f" The least is {least['native']} against {least['library']}: {where(least, [])}."
        sentences.append(f"The native methods are {words}." + (closest if len(rows) > 1 else ""))
    return sentences


def by_method(frame: pd.DataFrame) -> list[str]:
    """A sentence a native and a library method, of all that were timed in turn."""
    found = ratios(speedups(frame))
    axes = differing(found)
    sentences = []
    for (native, library), rows in found.groupby(["native", "library"]):
        first, *others = dicts(rows)
        pair = ", ".join([f"{_spread(first)} as {library} with the same scheme", *how(first, axes)])
        words = f"{native} is {pair} ({_comparisons(first)})"
        words += "".join(f"; {', '.join(how(row, axes))} {_spread(row)} ({_comparisons(row)})" for row in others)
        sentences.append(f"{words}.")
    return sentences


def _spread(row: Row) -> str:
    return speed(row["mean"], row["mean"]) if row["comparisons"] == 1 else speed(row["least"], row["greatest"])


def _comparisons(row: Row) -> str:
    return _counted(row["comparisons"], row["mean"], row["slower"])


def _range(pairs: pd.DataFrame) -> str:
    return speed(pairs["ratio"].min(), pairs["ratio"].max())


def _count(pairs: pd.DataFrame) -> str:
    return _counted(len(pairs), geometric_mean(pairs["ratio"]), int((pairs["ratio"] < 1).sum()))


def _counted(comparisons: int, mean: float, slower: int) -> str:
    words = plural(comparisons, "paired comparison")
    if comparisons > 1:
        words += f", geometric mean {speed(mean, mean)}"
    return words + (f", slower in {slower}" if slower else "")
