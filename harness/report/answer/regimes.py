"""Regimes: parts of a run in which one choice is made, and the cases to choose among at the largest size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from harness.grouping import KEYS, MACHINE, gradients, groups, telling, words
from harness.record import Row
from harness.report.answer.question import Asked
from harness.report.tables import dicts

CHOSEN = ("method", "scheme", "stepping", "rtol", "atol")
"""What a person chooses. All else is given: the problem, its noise, its sizes and the machine."""
SAMPLERS = {"own": "each method's own sampler", "tree": "virtual Brownian trees", "shared": "one path for all"}
"""The values of `brownian`, in words."""
PRODUCTS = {"full": "products in full precision", "tf32": "products in TF32"}
"""The values of `matmul`, in words."""


@dataclass(frozen=True, eq=False)
class Regime:
    """Records that differ in what a person chooses, and in the size that grows.

    `words` tells it from the run's other regimes, "" where there is one. `size` is the largest value of `over`, None
    where nothing grows. `cases` are the measured ones at that size, `sizes` those of all sizes, `lost` those at that
    size that gave no numbers.
    """

    words: str
    place: Row
    over: str | None
    size: Any
    cases: pd.DataFrame
    sizes: pd.DataFrame
    lost: pd.DataFrame

    @property
    def where(self) -> str:
        """At which size, and in which regime: at 2,048 steps (diagonal noise)."""
        if self.over is None:
            return f"with {self.words}" if self.words else ""
        at = f"at {self.size:,} steps" if self.over == "steps" else f"at {self.over} {self.size:,}"
        return f"{at} ({self.words})" if self.words else at


def regimes(frame: pd.DataFrame, asked: Asked) -> list[Regime]:
    """In the order of the suite. Floors are no choice, and cases that can't be solved don't count."""
    known = gradients(frame[frame["status"] != "unsupported"])
    varied = {*CHOSEN, *([asked.over] if asked.over else [])}
    parts = list(groups(known, varied=varied))
    places = pd.DataFrame([place for place, _ in parts], columns=[axis for axis in KEYS if axis not in varied])
    told = telling(places)
    return [_regime(place, group, asked.over, told) for place, group in parts if (group["status"] == "ok").any()]


def main_regimes(found: Sequence[Regime]) -> list[Regime]:
    """Of each machine the regime with the most methods to choose among.

    Of several it is the one with the most cases, and of those the last.
    """
    machines = dict.fromkeys(str(regime.place[MACHINE]) for regime in found)
    return [
        max(
            (regime for regime in reversed(found) if regime.place[MACHINE] == machine),
            key=lambda regime: (regime.cases["method"].nunique(), len(regime.sizes)),
        )
        for machine in machines
    ]


def _regime(place: Row, group: pd.DataFrame, over: str | None, told: list[str]) -> Regime:
    size = group.loc[group["status"] == "ok", over].max() if over else None
    at = group
    if over is not None:
        at = group[(group[over] == size) | ((over == "steps") & (group["stepping"] == "adaptive"))]
    ok = at["status"] == "ok"
    return Regime(
        words=", ".join(words_of(place, told)),
        place=place,
        over=over if over is not None and group[over].nunique() > 1 else None,
        size=size,
        cases=at[ok],
        sizes=group[group["status"] == "ok"],
        lost=at[~ok],
    )


def words_of(place: Row, axes: list[str]) -> Iterator[str]:
    """The values of these axes; the noise is followed by its noun, and the sampler and the products are in words."""
    for axis in axes:
        if axis == "noise":
            yield "no noise" if place["noise"] == "none" else f"{place['noise']} noise"
        elif axis == "brownian":
            yield SAMPLERS[place["brownian"]]
        elif axis == "threads":
            yield "one thread" if place["threads"] == 1 else f"{place['threads']} threads"
        elif axis == "matmul":
            yield PRODUCTS[place["matmul"]]
        else:
            yield from words(place, [axis])


def common(frame: pd.DataFrame) -> str:
    """What all cases of a run share, in words."""
    told = [axis for axis in KEYS if axis not in ("seed", MACHINE, *CHOSEN)]
    constant = [axis for axis in told if frame[axis].nunique(dropna=False) == 1]
    if "observations" in constant and frame["observations"].iloc[0] == 1:
        constant.remove("observations")  # at the end alone, as most often
    if "matmul" in constant and frame["matmul"].iloc[0] == "full":
        constant.remove("matmul")
    return ", ".join(words_of(dicts(frame.head(1))[0], constant)) if len(frame) else ""
