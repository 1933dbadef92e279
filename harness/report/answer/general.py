"""The answer in a few sentences, made from the data alone."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from harness.column import UNRESOLVED
from harness.frames import geometric_mean
from harness.grouping import HOW, KEYS, WHAT, differing, gradients, groups
from harness.measuring.statistics import log_slope
from harness.report.answer.against_libraries import by_method
from harness.report.answer.growth import FLAT
from harness.report.answer.met import met
from harness.report.format import decimal, listing, plural, ratio, seconds, size, span
from harness.report.ratios import how

IMPLAUSIBLE = 0.1
"""Time over the floor below which a method can't have evaluated f and g as often as it must. Compiled steps are seen
down to 0.3."""
RETAINED = 8 * 2**10
"""Bytes that may stay allocated after a gradient: four times the most that was measured for the built-in methods, which
keep nothing. Their 2 kB are buffers of the allocator and of JAX."""
MOST_NAMED = 8
"""Methods, each with a scheme, that a sentence names."""
WAITED = 0.9
"""Processor over wall time below which a run had to wait for its core."""


def by_machine(frame: pd.DataFrame, told: Callable[[pd.DataFrame], list[str]]) -> list[str]:
    """What `told` says of the records of each machine, whose name stands before where there are several."""
    parts = list(frame.groupby("machine", sort=True))
    if len(parts) < 2:
        return told(frame)
    return [f"{machine}: {sentence}" for machine, part in parts for sentence in told(part)]


def answers(frame: pd.DataFrame) -> list[str]:
    """Sentences on speed, overhead, memory and error, each only where a machine has the data for it."""
    return by_machine(frame, _answers)


def _answers(frame: pd.DataFrame) -> list[str]:
    ok = frame[(frame["status"] == "ok")]
    methods = gradients(ok)
    sentences = [
        *_fastest(methods),
        *by_method(frame),
        *_overhead(methods),
        *_memory(methods),
        *_retained(ok),
        *met(methods),
        *_unresolved(methods),
        *_implausible(ok),
        *_diverged(frame),
        *notes(ok),
        *_threads(ok),
    ]
    return sentences or ["Nothing was measured."]


def _fastest(methods: pd.DataFrame) -> list[str]:
    timed = methods.dropna(subset=["seconds_median"])
    if timed.empty:
        return []
    best = timed.loc[timed.groupby("block")["seconds_median"].idxmin()]
    counts = best["method"].value_counts()
    blocks = plural(len(best), "block")
    if len(counts) == 1:
        took = span(best["seconds_median"].min(), best["seconds_median"].max(), seconds)
        where = f"each of {blocks}" if len(best) > 1 else blocks
        return [f"{counts.index[0]} is the fastest in {where} ({took} for a forward solve and gradient)."]
    listed = listing([f"{name} in {count}" for name, count in counts.items()])
    return [f"Of {blocks}, the fastest is {listed}."]


def _overhead(methods: pd.DataFrame) -> list[str]:
    known = methods.dropna(subset=["floor_ratio"])
    if known.empty:
        return []
    axes = [axis for axis in differing(known) if axis in HOW]
    sentences = []
    for place, group in groups(known, varied=["method", *WHAT], sort=True):
        means = group.groupby("method")["floor_ratio"].apply(geometric_mean).sort_values()
        subject = ", ".join(["Time over the floor of bare evaluations", *how(place, axes)])
        sentences.append(f"{subject}: {listing([f'{m} {ratio(v)}' for m, v in means.items()])}.")
    return sentences


def memory_slopes(methods: pd.DataFrame) -> pd.DataFrame:
    """Log–log slopes of peak memory over steps, a row a method and setting with at least three step counts.

    `slope` is over all of them, `last` from the last but one to the last: 0 where memory has stopped growing, as that
    of a sampler which holds a chunk of steps, once the steps fill it.
    """
    known = methods[methods["peak_bytes"] > 0]  # of 0 bytes there is no logarithm
    rows = []
    for place, group in groups(known.sort_values("steps"), varied=["steps"]):
        if group["steps"].nunique() >= 3:
            steps, peaks = group["steps"], group["peak_bytes"]
            slopes = {"slope": log_slope(steps, peaks), "last": log_slope(steps.tail(2), peaks.tail(2))}
            rows.append({**place, **slopes})
    return pd.DataFrame(rows, columns=[*(axis for axis in KEYS if axis != "steps"), "slope", "last"])


def _memory(methods: pd.DataFrame) -> list[str]:
    slopes = memory_slopes(methods)
    if slopes.empty:
        return []
    growth = slopes["slope"].where(slopes["last"] > FLAT, slopes["last"])
    worst = growth.groupby(slopes["method"]).max().sort_values()
    flat = [str(m) for m, s in worst.items() if s <= FLAT]
    growing = [f"{m} (steps^{s:.2f})" for m, s in worst.items() if s > FLAT]
    sentences = []
    if flat:
        sentences.append(f"Peak memory does not grow with the steps for {listing(flat)}.")
    if growing:
        sentences.append(f"Peak memory grows with the steps, at the steepest as given, for {listing(growing)}.")
    return sentences


def _retained(ok: pd.DataFrame) -> list[str]:
    """Which methods don't free all that a gradient allocates, and how much stays for each gradient."""
    known = ok.dropna(subset=["retained_bytes"])
    if known.empty:
        return []
    worst = known.groupby("method")["retained_bytes"].max().sort_values(ascending=False)
    leaking = [f"{method} ({size(value)} per gradient)" for method, value in worst.items() if value > RETAINED]
    if leaking:
        return [f"Beware: memory that stays allocated grows with every gradient for {listing(leaking)}."]
    if worst.max() <= 0:
        return ["Memory is free again after each gradient."]
    return [f"Memory is free again after each gradient: at most {size(worst.max())} per gradient stay allocated."]


def _unresolved(methods: pd.DataFrame) -> list[str]:
    judged = methods.dropna(subset=["gradient_error_theta_median"])
    unresolved = judged[~judged["gradient_error_theta_resolved"]]
    if unresolved.empty:
        return []
    return [
        f"{plural(len(unresolved), 'gradient error')} of {len(judged)} lie within {UNRESOLVED:g} times the"
        " reference's own error bar and are not resolved."
    ]


def _diverged(frame: pd.DataFrame) -> list[str]:
    """Which methods gave no finite gradient, which schemes are unstable at which steps, and how often."""
    supported = frame[frame["status"] != "unsupported"]
    diverged = _how_often(supported, "diverged", ["method", "scheme"], "{0} with {1}")
    unstable = _how_often(supported, "unstable", ["scheme", "problem", "steps"], "{0} on {1} at {2} steps")
    if len(diverged) > MOST_NAMED:
        count, of = int((supported["status"] == "diverged").sum()), plural(len(supported), "case")
        diverged = [f"{count} of {of}, with {len(diverged)} methods and schemes"]
    return [
        *([f"No finite gradient: {listing(diverged)}."] if diverged else []),
        *([f"Unstable scheme at this step, whatever the method: {listing(unstable)}."] if unstable else []),
    ]


def _how_often(supported: pd.DataFrame, status: str, axes: list[str], words: str) -> list[str]:
    listed = []
    for key, statuses in supported.groupby(axes)["status"]:
        count = int((statuses == status).sum())
        if count:
            listed.append(f"{words.format(*key)} ({count} of {plural(len(statuses), 'case')})")
    return listed


def notes(ok: pd.DataFrame) -> list[str]:
    """What is to be known of cases whose numbers stand."""
    noted = ok[ok["reason"].fillna("") != ""]
    return [
        f"Beware of {listing(sorted(set(group['method'])))}: {reason}."
        for reason, group in noted.groupby("reason", sort=True)
    ]


def _implausible(ok: pd.DataFrame) -> list[str]:
    """Times that no gradient can take: far below the floor of bare evaluations, of any backend where it has none."""
    timed = ok.dropna(subset=["seconds_median"])
    floors = timed[timed["approach"] == "floor"].groupby(["pairing", "scheme"])["seconds_median"].min()
    fastest = pd.Series([floors.get(key) for key in zip(timed["pairing"], timed["scheme"], strict=True)], timed.index)
    timed = timed.assign(floor_ratio=timed["floor_ratio"].fillna(timed["seconds_median"] / fastest.astype(float)))
    fast = gradients(timed[timed["floor_ratio"] < IMPLAUSIBLE])
    if fast.empty:
        return []
    least = fast.groupby("method")["floor_ratio"].min()
    listed = listing([f"{method} ({ratio(value)})" for method, value in least.items()])
    return [
        f"Beware: {listed} took less than {IMPLAUSIBLE:.0%} of the floor's time. No solve can be that fast: the method"
        " may give a gradient that it computed before."
    ]


def _threads(ok: pd.DataFrame) -> list[str]:
    """Whether the one thread that was asked for was all that was used, and was had."""
    single = ok[(ok["threads"] == 1) & (ok["device"] == "cpu")].dropna(subset=["cpu_ratio"])  # a GPU's host may wait
    if single.empty:
        return []
    ratios = single["cpu_ratio"]
    low, high = ratios.min(), ratios.max()
    waited = int((ratios < WAITED).sum())
    beware = []
    if high > 1.1:
        names = listing(sorted(set(single[ratios > 1.1]["method"])))
        beware.append(
            f"Beware: {names} used more than the one thread asked for (processor over wall time up to {high:.2f})."
        )
    if waited:
        beware += busy(single)
    return beware or [f"One thread was asked for and used: processor over wall time is {span(low, high, decimal)}."]


def busy(ok: pd.DataFrame) -> list[str]:
    """Whether cases had to wait for a core."""
    known = ok[ok["device"] == "cpu"].dropna(subset=["cpu_ratio"])
    waited = int((known["cpu_ratio"] < WAITED).sum())
    if not waited:
        return []
    return [
        f"Beware: the machine was busy. {plural(waited, 'case')} of {len(known)} had a core for less than"
        f" {WAITED:.0%} of the time (processor over wall time down to {known['cpu_ratio'].min():.2f}): measure again"
        " when it is idle."
    ]
