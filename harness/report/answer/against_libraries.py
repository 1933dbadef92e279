"""How many times as fast native methods are as the libraries', in sentences."""

from __future__ import annotations

import pandas as pd

from harness.frames import geometric_mean, speedups
from harness.grouping import differing
from harness.record import Row
from harness.report.format import plural, speed
from harness.report.ratios import how, ratios, where
from harness.report.tables import dicts


def by_library(frame: pd.DataFrame) -> list[str]:
    """A sentence a library: all native methods against all of its own, and the pair that is the closest.

    Only pairs with a sampler each where there are such: on the shared path nobody draws noise, as in no training.
    """
    pairs = speedups(frame)
    pairs = pairs.assign(package=pairs["library"].str.partition("/")[0])
    own = pairs[pairs["brownian"] != "shared"]
    sentences = []
    for package, rows in (pairs if own.empty else own).groupby("package"):
        least = dicts(rows.sort_values("ratio").head(1))[0]
        times = speed(rows["ratio"].min(), rows["ratio"].max())
        counted = _counted(len(rows), geometric_mean(rows["ratio"]), int((rows["ratio"] < 1).sum()))
        closest = f" The least is {least['native']} against {least['library']}: {where(least, [])}."
        sentences.append(
            f"The native methods are {times} as those of {package} with the same scheme ({counted})."
            + (closest if len(rows) > 1 else "")
        )
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


def _counted(comparisons: int, mean: float, slower: int) -> str:
    words = plural(comparisons, "paired comparison")
    if comparisons > 1:
        words += f", geometric mean {speed(mean, mean)}"
    return words + (f", slower in {slower}" if slower else "")
