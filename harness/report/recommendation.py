"""Which gradient method to use for a model, from what was measured of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from pydantic import ByteSize, TypeAdapter

from harness.frames import paired_samples
from harness.grouping import MACHINE, gradients
from harness.measuring.statistics import ratio_interval
from harness.report.answer.contest import rounding_of
from harness.report.answer.general import RETAINED, busy, by_machine, notes
from harness.report.format import error as errors
from harness.report.format import listing, plural, ratio, seconds, size

Rows: TypeAlias = pd.DataFrame
LEVELS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
"""Errors of the gradient, relative, for each of which the fastest case is named."""
LONGEST_FRONT = 8


@dataclass(frozen=True)
class Recommendation:
    """A case, and what was measured of it. `error` is that of the gradient, NaN where it wasn't measured."""

    method: str
    scheme: str
    steps: int
    problem: str
    seconds: float
    peak_bytes: float
    error: float
    rtol: float | None = None
    """Of adaptive steps."""

    def __str__(self) -> str:
        """In words."""
        told = [seconds(self.seconds) if self.seconds == self.seconds else ""]
        told += [size(self.peak_bytes) if self.peak_bytes == self.peak_bytes else ""]
        told += [f"gradient error {errors(self.error)}" if self.error == self.error else ""]
        return f"{self.method} with {self.scheme} {_stepped(self.steps, self.rtol)} ({', '.join(filter(None, told))})"


EQUATION = ("problem", "noise", "calculus", "dim", "batch", "observations")
"""What is given, where a method is chosen."""


def recommend(frame: Rows, *, error: float | None = None, memory: str | int | None = None) -> Recommendation:
    """The fastest case within a gradient error and a peak memory; the smallest where no time was measured.

    An error that the reference doesn't resolve counts as the reference's own bar. Raises LookupError where none is
    within, and ValueError where `memory` is no size or where the records are of several machines or equations, which
    are no choice: of the noises of one suite the cheapest would win.
    """
    for axis in (MACHINE, *EQUATION):
        one = axis == "calculus" and set(frame["noise"]) <= {"none", "additive"}  # both calculi are the same there
        several = sorted(map(str, set(frame[axis])))
        if len(several) > 1 and not one:
            raise ValueError(f"the records are of the {axis} {listing(several)}: keep those of one")
    rows = _measured(frame)
    if error is not None:
        rows = rows[rows["bounded"] <= error]
    if memory is not None:
        rows = rows[rows["peak_bytes"] <= TypeAdapter(ByteSize).validate_python(memory)]
    by = [column for column in ("seconds_median", "peak_bytes", "error") if rows[column].notna().any()]
    if rows.empty or not by:
        raise LookupError("no measured case is within these bounds")
    return _of(rows.sort_values(by[0]).iloc[0])


def sentences(frame: Rows) -> list[str]:
    """For each model: the fastest for an error, the smallest memory, the Pareto front, what the data can't decide."""
    return by_machine(frame, _sentences)


def _sentences(frame: Rows) -> list[str]:
    rows = _measured(frame)
    if rows.empty:
        return ["No case was measured.", *_refused(frame)]
    found: list[str] = []
    problems = list(rows["problem"].unique())
    for problem in problems:
        named = f"{problem}: " if len(problems) > 1 else ""
        found += [named + sentence for sentence in _of_model(rows[rows["problem"] == problem])]
    ok = frame[frame["status"] == "ok"]
    return [*found, *_refused(frame), *notes(ok), *busy(ok)]


def _of_model(rows: Rows) -> Iterator[str]:
    yield from _fastest(rows)
    yield from _smallest(rows)
    yield from _front(rows)
    yield from _undecided(rows)
    yield from _biased(rows)
    yield from _unresolved(rows)


def _measured(frame: Rows) -> Rows:
    """The cases with numbers. `error` is the gradient's, NaN where that isn't measured; `bounded` has the bar in it."""
    rows = gradients(frame[frame["status"] == "ok"]).copy()
    rows["error"] = rows["gradient_error_theta_median"]
    rows["bounded"] = np.fmax(rows["error"], rows["reference_error"])
    return rows


def _fastest(rows: Rows) -> Iterator[str]:
    timed = rows.dropna(subset=["seconds_median"]).sort_values("seconds_median")
    if timed.empty:
        return
    if timed["error"].isna().all():
        for _, group in timed.groupby(["stepping", "steps", "rtol"], sort=False):
            yield f"The fastest {_where(group.iloc[0])}: {_of(group.iloc[0])}."
        return
    winners: dict[Any, list[float]] = {}
    for level in LEVELS:
        within = timed[timed["bounded"] <= level]
        if not within.empty:
            winners.setdefault(within.index[0], []).append(level)
    for index, levels in winners.items():
        words = listing([f"{level:g}" for level in levels])
        yield f"The fastest for a gradient error below {words}: {_of(timed.loc[index])}."
    least = timed.sort_values("bounded").iloc[0]
    if not winners or least.name not in winners:
        yield f"The smallest gradient error: {_of(least)}."


def _smallest(rows: Rows) -> Iterator[str]:
    known = rows.dropna(subset=["peak_bytes"]).sort_values("peak_bytes")
    if known.empty:
        return
    best = known.iloc[0]
    peers = known[(known["block"] == best["block"]) & (known["scheme"] == best["scheme"])]
    fastest = peers["seconds_median"].min()
    more = best["seconds_median"] / fastest
    cost = f", {ratio(more)} the time of the fastest with that scheme and step count" if more > 1 else ""
    yield f"The smallest memory: {_of(best)}{cost}."
    fixed = known[known["stepping"] == "fixed"]
    largest = fixed[fixed["steps"] == fixed["steps"].max()].sort_values("peak_bytes")
    if largest.empty or largest.iloc[0]["method"] == best["method"]:
        return
    yield f"The smallest memory at {largest.iloc[0]['steps']} steps: {_of(largest.iloc[0])}."


def _front(rows: Rows) -> Iterator[str]:
    """The cases that no other beats in time, memory and error at once."""
    columns = [c for c in ("seconds_median", "peak_bytes", "bounded") if rows[c].notna().any()]
    known = rows.dropna(subset=columns)
    if len(columns) < 2 or len(known) < 2:
        return
    values = known[columns].to_numpy(dtype=float)
    beaten = [bool(((values <= v).all(1) & (values < v).any(1)).any()) for v in values]
    front = known[[not one for one in beaten]].sort_values("seconds_median")
    words = {"seconds_median": "time", "peak_bytes": "memory", "bounded": "error"}
    named = [f"{row['method']} {row['scheme']} {_where(row)}" for _, row in front.iterrows()]
    more = f" and {len(named) - LONGEST_FRONT} more" if len(named) > LONGEST_FRONT else ""
    yield (
        f"No other case is better in {listing([words[c] for c in columns])} at once than"
        f" {', '.join(named[:LONGEST_FRONT])}{more} (the Pareto front, the fastest first)."
    )


def _undecided(rows: Rows) -> Iterator[str]:
    """Methods that may be as fast as the fastest with their scheme and steps."""
    found: list[str] = []
    for _, group in rows[rows["seconds"].astype(bool)].groupby(["pairing", "scheme"]):
        best, *others = [row for _, row in group.sort_values("seconds_median").iterrows()]
        for other in others:
            middle, low, _ = ratio_interval(paired_samples(other), paired_samples(best))
            if low <= 1:
                found.append(
                    f"{best['method']} and {other['method']} with {best['scheme']} {_where(best)}"
                    f" ({ratio(middle)}, 95% interval from {low:.2f})"
                )
    if found:
        more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
        yield f"The data can't decide which is faster: {'; '.join(found[:5])}{more}."


def _biased(rows: Rows) -> Iterator[str]:
    known = rows.dropna(subset=["adjoint_error_theta_median"])
    biased = known[known["adjoint_error_theta_median"] > rounding_of(known)]
    worst = biased.groupby("method")["adjoint_error_theta_median"].max().sort_values()
    if len(worst):
        listed = listing([f"{method} (up to {errors(value)})" for method, value in worst.items()])
        yield f"Not the gradient of the discrete solve: {listed}. All others are exact to rounding."


def _unresolved(rows: Rows) -> Iterator[str]:
    known = rows.dropna(subset=["error", "reference_error"])
    hidden = known[known["error"] <= known["reference_error"]]
    if len(hidden):
        yield (
            f"{plural(len(hidden), 'case')} of {len(known)} have errors below the reference's own bar"
            f" ({errors(hidden['reference_error'].max())}): they may be smaller than shown."
        )
    leaking = sorted(set(rows[rows["retained_bytes"] > RETAINED]["method"]))
    if leaking:
        yield f"Beware: memory grows with every gradient for {listing(leaking)}."


def _refused(frame: Rows) -> list[str]:
    """The methods of which no case could be measured, with their first reason."""
    measured = set(frame[frame["status"] != "unsupported"]["method"])
    refused = frame[(frame["status"] == "unsupported") & ~frame["method"].isin(measured)]
    by_reason: dict[str, list[str]] = {}
    for method, group in refused.groupby("method", sort=False):
        by_reason.setdefault(str(group["reason"].iloc[0]), []).append(str(method))
    return [f"Not measured: {listing(methods)}: {reason}." for reason, methods in by_reason.items()]


def _of(row: Any) -> Recommendation:
    return Recommendation(
        row["method"],
        row["scheme"],
        int(row["steps"]),
        row["problem"],
        float(row["seconds_median"]),
        float(row["peak_bytes"]),
        float(row["error"]),
        _rtol(row),
    )


def _rtol(row: Any) -> float | None:
    return float(row["rtol"]) if row["stepping"] == "adaptive" else None


def _stepped(steps: int, rtol: float | None) -> str:
    return f"at {steps} steps" if rtol is None else f"at adaptive steps with rtol {rtol:g}"


def _where(row: Any) -> str:
    return _stepped(int(row["steps"]), _rtol(row))
