"""Native methods against the libraries: of all paired ratios of two methods the mean, the least and where that was."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from harness.frames import geometric_mean
from harness.grouping import HOW, WHAT, groups, telling, words
from harness.record import Row
from harness.report.tables import dicts

KEY = ["native", "library", *HOW]
PLACE = ["scheme", "problem", "noise", "dim", "batch", "steps"]
"""What always tells where a ratio was taken; other axes do where they have to."""
COLUMNS = [*KEY, "comparisons", "mean", "greatest", "least", "least_low", "least_high", "where", "slower", "floor"]

SAMPLERS = {"own": "each with its own sampler", "tree": "each on its own tree", "shared": "both on the shared path"}
"""The values of `brownian`, in words."""


def ratios(pairs: pd.DataFrame) -> pd.DataFrame:
    """A row a pair of methods and way of computing (`HOW`: the sampler and others), from `harness.speedups`.

    `mean` is geometric, over blocks and schemes; `least_low` and `least_high` are the interval of the least, `where`
    its scheme and block; `slower` counts ratios below 1. `floor` is the native method's time over the floor, the
    geometric mean, NaN where no floor was timed beside it.
    """
    rows = []
    others = telling(pairs, PLACE, but=HOW)
    for place, group in groups(pairs, varied=["method", *WHAT], also=["native", "library"], sort=True):
        worst = dicts(group.sort_values("ratio").head(1))[0]
        floors = group["floor_ratio"].dropna()
        rows.append(
            {
                **place,
                "comparisons": len(group),
                "mean": geometric_mean(group["ratio"]),
                "greatest": group["ratio"].max(),
                "least": worst["ratio"],
                "least_low": worst["low"],
                "least_high": worst["high"],
                "where": where(worst, others),
                "slower": int((group["ratio"] < 1).sum()),
                "floor": geometric_mean(floors) if len(floors) else float("nan"),
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def where(pair: Row, others: Iterable[str]) -> str:
    """The scheme and block of a paired ratio in words, `others` being the axes to name besides `PLACE`."""
    noise = "no noise" if pair["noise"] == "none" else f"{pair['noise']} noise"
    sizes = [f"dim {pair['dim']}", f"batch {pair['batch']}", f"{pair['steps']} steps"]
    return ", ".join([pair["scheme"], pair["problem"], noise, *sizes, *words(pair, others)])


def how(row: Row, axes: Iterable[str]) -> list[str]:
    """The values of some of the axes in `HOW`, the sampler in words."""
    return [SAMPLERS.get(value, value) for value in words(row, axes)]
