"""Whether the bias of adjoints is visible beside the error of the scheme."""

from __future__ import annotations

from collections.abc import Sequence, Set

import pandas as pd

from harness.grouping import MACHINE
from harness.record import Row
from harness.report.answer.contest import rounding_of
from harness.report.answer.names import by_approach, case_name
from harness.report.answer.regimes import Regime
from harness.report.format import error, listing, plural
from harness.report.tables import dicts

VISIBLE = 0.1
"""A bias of at least this share of the scheme's own error."""
SOLVE = ["scheme", "stepping", "rtol", "atol"]
"""What two methods share that differentiate one solve."""
MOST = 4
"""Cases that are named."""


def visible_bias(found: Sequence[Regime]) -> list[str]:
    """A sentence on the biased methods at the largest size of every regime, where both errors were measured; one a
    machine where there are several."""
    machines = dict.fromkeys(str(regime.place[MACHINE]) for regime in found)
    if len(machines) < 2:
        return _visible_bias(found)
    parts = {name: [regime for regime in found if regime.place[MACHINE] == name] for name in machines}
    return [f"{name}: {sentence}" for name, part in parts.items() for sentence in _visible_bias(part)]


def _visible_bias(found: Sequence[Regime]) -> list[str]:
    if not found:
        return []
    among, sizes = (pd.concat([getattr(regime, part) for regime in found]) for part in ("cases", "sizes"))
    biased = set(sizes.loc[sizes["adjoint_error_theta_median"] > rounding_of(sizes), "method"])
    judged = [row for regime in found for row in _judged(regime, among, biased)]
    if not judged:
        return []
    at = _steps(found)
    visible = sorted((row for row in judged if row["share"] >= VISIBLE), key=lambda row: -row["share"])
    if not visible:
        worst = max(row["share"] for row in judged)
        names = by_approach(dict.fromkeys(row["method"] for row in judged))
        return [f"The bias of {names} can't be seen{at}: it is at most {worst:.1g} of the scheme's own error."]
    told = [f"{row['name']} ({error(row['adjoint'])} beside {error(row['own'])})" for row in visible]
    more = f" and {len(told) - MOST} more" if len(told) > MOST else ""
    return [
        f"A bias is visible beside the scheme's own error{at} in {len(visible)} of {plural(len(judged), 'case')}:"
        f" {listing(told[:MOST]) if not more else '; '.join(told[:MOST])}{more}.{_hidden(judged)}"
    ]


def _hidden(judged: Sequence[Row]) -> str:
    """The other cases: by which schemes, and the most that the bias comes to there."""
    hidden = [row for row in judged if row["share"] < VISIBLE]
    if not hidden:
        return ""
    schemes = listing(sorted({row["scheme"] for row in hidden}))
    worst = max(row["share"] for row in hidden)
    where = f"In the other {len(hidden)}" if len(hidden) > 1 else "In the other one"
    return f" {where}, by {schemes}, it is at most {worst:.1g} of that error."


def _steps(found: Sequence[Regime]) -> str:
    """At how many steps, where all regimes have the same; where the steps grow, each case's place tells it.

    The steps of an adaptive solve are those that its first step would make.
    """
    if any("steps" not in regime.place or (regime.cases["stepping"] == "adaptive").any() for regime in found):
        return ""
    steps = {int(regime.place["steps"]) for regime in found}
    return "" if len(steps) > 1 else f" at {plural(steps.pop(), 'step')}"


def _place(regime: Regime) -> str:
    """At which size, and in which regime: what stands after a method and its scheme."""
    if regime.over is None:
        return f", {regime.words}" if regime.words else ""
    return f" {regime.where}"


def _judged(regime: Regime, among: pd.DataFrame, biased: Set[str]) -> list[Row]:
    """The cases of the methods that are `biased` anywhere, with their scheme's own error: the gradient error of the
    other methods with the same steps and tolerances. Their names tell what differs in `among`."""
    columns = ["adjoint_error_theta_median", "gradient_error_theta_median"]
    known = regime.cases.dropna(subset=columns)
    exact = ~known["method"].isin(biased)
    own = known[exact].groupby(SOLVE, dropna=False)[columns[1]].median().rename("own").reset_index()
    rows = known[~exact].merge(own[own["own"] > 0], on=SOLVE)
    return [
        {
            "method": row["method"],
            "scheme": row["scheme"],
            "name": case_name(row, among) + _place(regime),
            "adjoint": row[columns[0]],
            "own": row["own"],
            "share": row[columns[0]] / row["own"],
        }
        for row in dicts(rows)
    ]
