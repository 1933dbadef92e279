"""The answer to the suite's question in sentences, for one regime."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence

import pandas as pd

from harness.record import Row
from harness.report.answer.against_libraries import by_library
from harness.report.answer.changes import adjoint_changes, changes
from harness.report.answer.contest import ALIKE, least, rounding_of, with_error
from harness.report.answer.general import by_machine
from harness.report.answer.growth import CONSTANT
from harness.report.answer.levels import at_size, fastest_for
from harness.report.answer.met import met_and_where
from harness.report.answer.names import by_approach, case_name, costs, interval, longer, times
from harness.report.answer.powers import powers
from harness.report.answer.question import Asked, asked
from harness.report.answer.regimes import Regime, main_regimes, regimes
from harness.report.answer.standings import standings
from harness.report.answer.survival import survival
from harness.report.answer.visible_bias import visible_bias
from harness.report.format import error as errors
from harness.report.format import listing, seconds, size
from harness.report.orders import fitted, tally
from harness.report.tables import dicts
from harness.section import Measurements
from harness.suite import Question

MOST_BUDGETS = 4
LESS = 0.9
"""A part of another's memory that counts as less of it."""
MUCH = 1.5
"""A ratio of times above which the slowest is worth a sentence."""


def sentences(regime: Regime, table: pd.DataFrame, asked: Asked) -> list[str]:
    """What `table`, from `standings`, says about the question, the sizes of the numbers first."""
    found = [sentence for part in PARTS[asked.about] for sentence in part(regime, table)]
    return [*found, *_lost(regime)]


def _memory(regime: Regime, table: pd.DataFrame) -> Iterator[str]:
    known = table.dropna(subset=["peak_bytes"])
    if known.empty:
        return
    cases = regime.cases.dropna(subset=["peak_bytes"])
    smallest, most = least(known, "peak_bytes"), dicts(cases.sort_values("peak_bytes").tail(1))[0]
    more = times(most["peak_bytes"] / smallest["peak_bytes"])
    yield (
        f"{_begin(regime)}the smallest peak memory is {size(smallest['peak_bytes'])} ({case_name(smallest, cases)}),"
        f" the largest {size(most['peak_bytes'])} ({case_name(most, cases)}), {more} as much."
    )
    grown = known[known["growth"] != ""]
    flat = grown[grown["growth"] == CONSTANT]
    growing = grown[grown["growth"] != CONSTANT].groupby("growth", sort=False)["method"]
    each = ", each with the scheme that needs the least memory" if cases["scheme"].nunique() > 1 else ""
    if len(flat):
        yield f"Memory doesn't grow with the {regime.over} in {by_approach(flat['method'])}{each}."
    if len(growing):
        begin, end = ("It", "") if len(flat) else ("Memory", each)
        yield f"{begin} grows {'; '.join(f'{growth} in {by_approach(methods)}' for growth, methods in growing)}{end}."
    timed = flat.dropna(subset=["seconds_median"])
    if len(timed):
        yield f"Of those whose memory doesn't grow, {_fastest_of(timed, table)}."


def _time(regime: Regime, table: pd.DataFrame) -> Iterator[str]:
    timed = table.dropna(subset=["seconds_median"]).sort_values("seconds_median")
    if timed.empty:
        return
    best, *others = dicts(timed)
    alike = [f"{case_name(row, table)}{interval(row['ratio'])}" for row in others if row["ratio"].undecided]
    can = f"; the data can't tell it from {listing(alike)}" if alike else ""
    yield f"{_begin(regime)}the fastest is {case_name(best, table)} {costs(best)}{can}."
    other = next((row for row in others if row["native"] != best["native"]), None)
    if other is not None:
        kind = "native method" if other["native"] else "method of a library"
        yield f"{_the(regime)} fastest {kind} is {_slower(other, table)}."
    if len(others) > 1 and others[-1]["ratio"].value > MUCH:
        yield f"{_the(regime)} slowest is {_slower(others[-1], table)}."


def _slower(row: Row, table: pd.DataFrame) -> str:
    return f"{case_name(row, table)} ({seconds(row['seconds_median'])}), which {longer(row['ratio'])}"


def _budgets(regime: Regime, table: pd.DataFrame) -> Iterator[str]:
    """Which case is the fastest with how much memory."""
    known = table.dropna(subset=["seconds_median", "peak_bytes"]).sort_values("seconds_median")
    winners: list[Row] = []
    for row in dicts(known):
        if not winners or row["peak_bytes"] < LESS * winners[-1]["peak_bytes"]:
            winners.append(row)
    if len(winners) < 2:
        return
    words = [
        f"with {size(row['peak_bytes'])}, {case_name(row, table)} ({seconds(row['seconds_median'])})" for row in winners
    ]
    listed = "; ".join(words[:MOST_BUDGETS])
    yield f"{_the(regime)} fastest for the memory that you can give to a gradient: {listed}."


def _error(regime: Regime, table: pd.DataFrame) -> Iterator[str]:
    column = "gradient_error_theta_median"
    known = table.dropna(subset=[column])
    if known.empty:
        return
    best = least(known, column)
    alike = known[(known[column] <= (1 + ALIKE) * best[column]) & (known["method"] != best["method"])]
    within = f"; within {ALIKE:.0%} of it: {by_approach(alike['method'])}" if len(alike) else ""
    yield f"{_begin(regime)}the smallest gradient error is {errors(best[column])} ({case_name(best, table)}){within}."


def _levels(regime: Regime, table: pd.DataFrame) -> Iterator[str]:
    """The fastest case of any size for an error."""
    del table
    found = "; below ".join(fastest_for(regime))
    if found:
        yield f"{_the(regime)} fastest for a gradient error below {found}."


def error_by_setting(found: Sequence[Regime]) -> Iterator[str]:
    """Of each regime the smallest gradient error at any size, and the fastest case for an error."""
    for regime in found:
        rows = with_error(regime.sizes).dropna(subset=["gradient_error_theta_median"])
        if rows.empty:
            continue
        best = least(rows, "error")
        fastest = "; below ".join(fastest_for(regime))
        told = f". The fastest for an error below {fastest}" if fastest else ""
        smallest = f"{errors(best['error'])} ({at_size(best, rows, regime)})"
        yield f"{regime.words}: the smallest gradient error is {smallest}{told}."


def _across(found: Sequence[Regime]) -> Iterator[str]:
    """In which regime the fastest gradient takes the least time, and in which the most."""
    timed = [regime.cases.dropna(subset=["seconds_median"]) for regime in found]
    fastest = [
        (least(cases, "seconds_median"), regime) for cases, regime in zip(timed, found, strict=True) if len(cases)
    ]
    if len(fastest) < 2:
        return
    fastest.sort(key=lambda pair: pair[0]["seconds_median"])
    (cheap, little), *_, (dear, much) = fastest
    more = times(dear["seconds_median"] / cheap["seconds_median"])
    yield (
        f"The fastest gradient takes from {seconds(cheap['seconds_median'])} ({little.words}, {cheap['method']}) to"
        f" {seconds(dear['seconds_median'])} ({much.words}, {dear['method']}, {more} as long)."
    )


def _bias(regime: Regime, table: pd.DataFrame) -> Iterator[str]:
    known = table.dropna(subset=["adjoint_error_theta_median"])
    if known.empty:
        return
    met = known["adjoint_error_theta_median"] <= rounding_of(known)
    exact, biased = known[met], known[~met]
    begin = _begin(regime)
    if len(exact):
        worst = errors(exact["adjoint_error_theta_median"].max())
        yield f"{begin}the gradient of the discrete solve is met to {worst} by {by_approach(exact['method'])}."
    if len(biased):
        listed = listing([f"{row['method']} ({errors(row['adjoint_error_theta_median'])})" for row in dicts(biased)])
        yield (
            f"It is missed by {listed}."
            if len(exact)
            else f"{begin}the gradient of the discrete solve is missed by {listed}."
        )


def _lost(regime: Regime) -> Iterator[str]:
    """Cases that gave no numbers where others did."""
    for (status, reason), rows in regime.lost.groupby(["status", "reason"], sort=False):
        yield f"No numbers from {by_approach(rows['method'].unique())} {regime.where}: {status}, {reason}."


def _fastest_of(rows: pd.DataFrame, table: pd.DataFrame) -> str:
    """The fastest of some, and how it compares with the fastest of all."""
    best, first = least(rows, "seconds_median"), least(table, "seconds_median")
    words = f"the fastest is {case_name(best, table)} {costs(best)}"
    if best["method"] == first["method"]:
        return f"{words}, which is the fastest of all"
    than = f"the fastest of all, {case_name(first, table)} {costs(first)}"
    if best["ratio"].undecided:
        return f"{words}; the data can't tell it from {than}"
    return f"{words}; it takes {times(best['ratio'].value)} as long as {than}"


def answer(measurements: Measurements) -> list[str]:
    """Of each machine the sentences of its regime with the most methods, after those on orders, powers and ratios
    where these are asked."""
    frame, question = measurements.frame, asked(measurements.suite, measurements.frame)
    verdicts = list(fitted(measurements)["verdict"])
    found = [tally(verdicts)] if verdicts else []
    if question.about == "growth":
        found += by_machine(frame, powers)
    if question.about == "speedup":
        found += by_machine(frame, by_library)
    if question.about == "adjoint_error":
        found += by_machine(frame, met_and_where)
    if question.about == "stability":
        return [*found, *by_machine(frame, functools.partial(survival, asked=question))]
    parts = regimes(frame, question)
    if question.about == "error" and len(parts) > 1:
        return [*found, *error_by_setting(parts), *visible_bias(parts)]
    mains = main_regimes(parts)
    if question.about == "time" and len(mains) == 1:
        found += _across(parts)
    for main in mains:
        if question.about == "adjoint_error" and main.over is None and len(parts) > 1:
            continue  # one setting of many says less than all of them
        found += sentences(main, standings(main, question, measurements.registry), question)
    return [*found, *visible_bias(parts)]


def _the(regime: Regime) -> str:
    """How a sentence begins that goes on about a regime named before."""
    return "There the" if regime.words else "The"


def _begin(regime: Regime) -> str:
    return f"{regime.where[0].upper()}{regime.where[1:]}, " if regime.where else "Of all, "


Part = Callable[[Regime, pd.DataFrame], Iterator[str]]
PARTS: dict[Question, tuple[Part, ...]] = {
    "memory": (_memory, _budgets),
    "time": (changes, _time, _budgets, _levels),
    "error": (_error, _bias, _levels),
    "adjoint_error": (_bias, adjoint_changes),
    "order": (),
    "growth": (_time,),
    "speedup": (_time,),
    "stability": (),
}
