"""What is compared of a case: its time, its peak memory and its errors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.case import precision
from harness.column import Format
from harness.columns import MEASURED_LISTS
from harness.comparison.verdict import SAME, UNCLEAR, Verdict
from harness.frames import numbers, paired_samples
from harness.measuring.statistics import median_interval, ratio_of_medians, ratios_of_rounds
from harness.record import Row

if TYPE_CHECKING:
    from harness.measuring.statistics import Samples

FEWEST = 3
"""Samples that a time needs on both sides to be judged: fewer say nothing of its spread."""
ROUNDING = {"float64": 1e-12, "float32": 1e-5, "tf32": 1e-3}
"""An error below this is the rounding of a gradient that is exact otherwise: twice as much of it means nothing."""


@dataclass(frozen=True)
class Change:
    """A value before and after, the ratio and its interval. With a `remark` the interval isn't judged."""

    unit: str
    before: float
    after: float
    ratio: float
    low: float
    high: float
    remark: str = ""
    verdict: Verdict = UNCLEAR


@dataclass(frozen=True)
class Compared:
    """What is known of the two runs.

    `peers` are the timed records of each by pairing, scheme and method, `relative_to` the method by whose times the
    others are divided, "" where there is none. `same_kind` says whether both machines of a case are of one kind.
    """

    peers: Sequence[Mapping[tuple[str, str, str], Row]]
    relative_to: str
    same_kind: Callable[[str], bool]


class Quantity(ABC):
    """Something that is measured of a case. More of it is worse."""

    name: str
    label: str
    format: Format

    @abstractmethod
    def change(self, old: Row, new: Row, compared: Compared) -> Change | None:
        """Between the records of a case that are `ok` in both runs; None where one run didn't measure it."""


class Time(Quantity):
    """The time of forward solve and gradient."""

    name = "time"
    label = "time"
    format = "seconds"

    def change(self, old: Row, new: Row, compared: Compared) -> Change | None:
        """The ratio of the medians.

        Where the machine itself became faster or slower, the interval also holds the ratios that would remain if the
        whole of that had reached the method: nobody knows how far it did.
        """
        if not old["seconds"] or not new["seconds"]:
            return None
        samples = [self._samples(row, peers, compared) for row, peers in zip((old, new), compared.peers, strict=True)]
        if any(taken is None for taken in samples):
            own = float(np.median(old["seconds"])), float(np.median(new["seconds"]))
            remark = f"{compared.relative_to} was not timed beside it with the same scheme"
            return Change("seconds", *own, own[1] / own[0], np.nan, np.nan, remark)
        before, after = (np.asarray(taken, dtype=float) for taken in samples)
        ratio, low, high = ratio_of_medians(after, before)
        if not compared.relative_to:
            machine = _machine_ratio(old, new)
            low, high = low / max(machine, 1.0), high / min(machine, 1.0)
        remark = ""
        if min(len(before), len(after)) < FEWEST:
            remark, low, high = f"fewer than {FEWEST} samples", np.nan, np.nan
        elif not compared.same_kind(new["case"]):
            remark = "measured on two kinds of machine"
        unit = "ratio" if compared.relative_to else "seconds"
        return Change(unit, float(np.median(before)), float(np.median(after)), ratio, low, high, remark)

    @staticmethod
    def _samples(row: Row, peers: Mapping[tuple[str, str, str], Row], compared: Compared) -> Samples | None:
        if not compared.relative_to:
            return row["seconds"]
        peer = peers.get((row["pairing"], row["scheme"], compared.relative_to))
        return None if peer is None else ratios_of_rounds(paired_samples(row), paired_samples(peer))


def _machine_ratio(old: Row, new: Row) -> float:
    """How much longer the fixed calculation took around the rounds of the case after than before; 1 if unknown."""
    before, after = old["calibration_seconds"], new["calibration_seconds"]
    return float(np.median(after) / np.median(before)) if before and after else 1.0


class Memory(Quantity):
    """The peak memory, which is the same in every call."""

    name = "memory"
    label = "peak memory"
    format = "bytes"

    def change(self, old: Row, new: Row, compared: Compared) -> Change | None:
        """The ratio, which has no spread."""
        del compared
        before, after = float(old["peak_bytes"]), float(new["peak_bytes"])
        if np.isnan(before) or np.isnan(after):
            return None
        ratio = _ratio(after, before)
        return Change("bytes", before, after, ratio, ratio, ratio)


@dataclass(frozen=True)
class Error(Quantity):
    """An error, on the same Brownian paths before and after."""

    name: str
    label: str
    format: Format = "error"

    def change(self, old: Row, new: Row, compared: Compared) -> Change | None:
        """The median of the ratios, path by path. Rounding and what the reference doesn't resolve isn't judged."""
        del compared
        before, after = (np.array(numbers(row[self.name])) for row in (old, new))
        count = min(len(before), len(after))
        if not count:
            return None
        medians = float(np.median(before)), float(np.median(after))
        ratio, low, high = median_interval([_ratio(b, a) for b, a in zip(after[:count], before[:count], strict=True)])
        if max(medians) < ROUNDING[precision(new["dtype"], new["matmul"])]:
            return Change("relative", *medians, ratio, low, high, "both are rounding", SAME)
        if not all(row.get(f"{self.name}_resolved", True) for row in (old, new)):
            return Change("relative", *medians, ratio, low, high, "the reference does not resolve it")
        return Change("relative", *medians, ratio, low, high)


def _ratio(after: float, before: float) -> float:
    """1 where both are the same, 0 and infinity too."""
    if after == before:
        return 1.0
    return after / before if before else np.inf


def quantities() -> tuple[Quantity, ...]:
    """All of them."""
    errors = (column for column in MEASURED_LISTS if column.format == "error" and column.interval)
    return (Time(), Memory(), *(Error(column.name, column.label) for column in errors))
