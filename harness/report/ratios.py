"""Native methods against the libraries: of all paired ratios of two methods the mean, the least and where that was."""

from __future__ import annotations

import pandas as pd

from harness.frames import geometric_mean

KEY = ["native", "library", "brownian"]
COLUMNS = [*KEY, "comparisons", "mean", "greatest", "least", "least_low", "least_high", "where", "slower", "floor"]

SAMPLERS = {"own": "each with its own sampler", "tree": "each on its own tree", "shared": "both on the shared path"}
"""The values of `brownian`, in words."""


def ratios(pairs: pd.DataFrame) -> pd.DataFrame:
    """A row a pair of methods and sampler, from `harness.speedups`.

    `mean` is geometric, over blocks and schemes; `least_low` and `least_high` are the interval of the least, `where`
    its scheme and block; `slower` counts ratios below 1. `floor` is the native method's time over the floor, the
    geometric mean, NaN where no floor was timed beside it.
    """
    rows = []
    for key, group in pairs.groupby(KEY, sort=True):
        worst = group.sort_values("ratio").iloc[0]
        floors = group["floor_ratio"].dropna()
        rows.append(
            {
                **dict(zip(KEY, key, strict=True)),
                "comparisons": len(group),
                "mean": geometric_mean(group["ratio"]),
                "greatest": group["ratio"].max(),
                "least": worst["ratio"],
                "least_low": worst["low"],
                "least_high": worst["high"],
                "where": place(worst),
                "slower": int((group["ratio"] < 1).sum()),
                "floor": geometric_mean(floors) if len(floors) else float("nan"),
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def place(pair: pd.Series) -> str:
    """The scheme and block of a paired ratio, in words."""
    noise = "no noise" if pair["noise"] == "none" else f"{pair['noise']} noise"
    return (
        f"{pair['scheme']}, {pair['problem']}, {noise}, dim {pair['dim']}, batch {pair['batch']}, {pair['steps']} steps"
    )
