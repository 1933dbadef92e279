"""A row a regime: which method is the fastest there, which needs the least memory, which errs least."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from harness.registry import Registry
from harness.report.answer.contest import ALIKE, least, rounding_of
from harness.report.answer.levels import fastest_for
from harness.report.answer.names import by_approach, case_name, interval, times
from harness.report.answer.question import Asked
from harness.report.answer.regimes import Regime
from harness.report.answer.standings import standings
from harness.report.format import error as errors
from harness.report.format import listing, seconds, size, span
from harness.report.tables import dicts

COLUMNS = {
    "regime": "",
    "fastest": "fastest",
    "alike": "as fast, as far as the data can tell",
    "library": "fastest method of a library",
    "memory": "smallest memory",
    "error": "smallest error",
    "front": "Pareto front",
    "levels": "fastest for an error below",
}
"""With their headings."""


def overview(found: Sequence[Regime], asked: Asked, registry: Registry) -> pd.DataFrame:
    """The regimes in words, in their order; of `COLUMNS` those that have a value anywhere."""
    told = [_row(regime, asked, standings(regime, asked, registry)) for regime in found]
    rows = pd.DataFrame([{column: row.get(column, "") for column in COLUMNS} for row in told], columns=list(COLUMNS))
    return rows[[column for column in rows if column == "regime" or rows[column].map(bool).any()]]


def summary(rows: pd.DataFrame) -> list[str]:
    """In how many regimes of an overview which method is the fastest, where there are more than two."""
    if len(rows) <= 2 or "fastest" not in rows:
        return []
    methods = rows["fastest"].str.partition(" ")[0]
    counts = methods[methods != ""].value_counts()
    if len(counts) == 1:
        return [f"{counts.index[0]} is the fastest in each of {counts.sum()} settings."]
    listed = listing([f"{method} in {count}" for method, count in counts.items()])
    return [f"Of {counts.sum()} settings, the fastest is {listed}."]


def _row(regime: Regime, asked: Asked, table: pd.DataFrame) -> dict[str, str]:
    told = {"regime": regime.words or "all"}
    timed = table.dropna(subset=["seconds_median"]).sort_values("seconds_median")
    if len(timed):
        best, *others = dicts(timed)
        told["fastest"] = f"{case_name(best, table)} ({seconds(best['seconds_median'])})"
        told["alike"] = ", ".join(case_name(r, table) for r in others if r["ratio"].undecided)
        library = next((row for row in [best, *others] if not row["native"]), None)
        if library is not None and library is not best:
            told["library"] = (
                f"{case_name(library, table)}, {times(library['ratio'].value)} as long{interval(library['ratio'])}"
            )
        elif library is not None:
            told["library"] = "the same"
    known = table.dropna(subset=["peak_bytes"])
    if len(known):
        smallest = least(known, "peak_bytes")
        told["memory"] = f"{case_name(smallest, table)} ({size(smallest['peak_bytes'])})"
    front = table[table["front"]]
    if len(front) > 1:
        told["front"] = by_approach(front["method"])
    if regime.over is not None and asked.about != "error":  # else sentences have it, or there is one size alone
        told["levels"] = "; ".join(fastest_for(regime))
    known = table.dropna(subset=["error"])
    exact = known[known["adjoint_error_theta_median"] <= rounding_of(known)]
    if known["gradient_error_theta_median"].isna().all() and len(exact):
        adjoint = exact["adjoint_error_theta_median"]
        told["error"] = (
            f"{span(adjoint.min(), adjoint.max(), errors)} ({len(exact)} of {len(known)} methods within rounding)"
        )
    elif len(known):
        nearest = least(known, "error")
        alike = int((known["error"] <= (1 + ALIKE) * nearest["error"]).sum())
        by = case_name(nearest, table) if alike == 1 else f"{alike} of {len(known)} methods within {ALIKE:.0%}"
        told["error"] = f"{errors(nearest['error'])} ({by})"
    return told
