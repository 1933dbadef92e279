"""The cases of a regime side by side: each method with its best scheme, what it costs, and a remark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import pandas as pd

from harness.case import precision
from harness.record import Row
from harness.registry import Registry
from harness.report.answer.contest import GOALS, ROUNDING, Ratio, compare, least, pareto, with_error
from harness.report.answer.growth import power, slope
from harness.report.answer.question import Asked
from harness.report.answer.regimes import Regime
from harness.report.format import error as errors
from harness.report.tables import dicts
from harness.spec import base

MOST = 10
"""Rows of a table."""


def standings(regime: Regime, asked: Asked, registry: Registry) -> pd.DataFrame:
    """A row a method, the best first: its record with these columns besides.

    `error` is as in `harness.pareto`, `growth` is in words, `ratio` the time relative to the fastest case of the
    regime, `front` whether the case is on the Pareto front of two measures or more, `native` whether the method is no
    library's, and `remark` what to know. `exact` says whether the method gives the gradient of its own discrete solve:
    not where an error above rounding was measured, else as the method declares; None where neither is known.
    """
    rows = with_error(regime.cases)
    goals = [asked.column, *(goal for goal in GOALS if goal != asked.column)]
    rows = rows.sort_values([goal for goal in goals if rows[goal].notna().any()], na_position="last")
    measured = [goal for goal in GOALS if rows[goal].notna().any()]
    front = pareto(regime.cases).index if len(measured) > 1 else []  # of one measure there is no trade
    best = rows.drop_duplicates("method")
    timed = rows.dropna(subset=["seconds_median"])
    fastest = least(timed, "seconds_median") if len(timed) else None
    records = dicts(best)

    def objects(values: Iterable[object]) -> pd.Series:
        return pd.Series(list(values), index=best.index, dtype=object)

    best = best.assign(
        growth=_growths(regime, asked, best),
        ratio=objects(_ratios(records, fastest)),
        front=best.index.isin(front),
        native=[row["backend_facts"].native for row in records],
        exact=objects(_exact(row, registry) for row in records),
    )
    return best.assign(remark=[", ".join(_remarks(row, best)) for row in dicts(best)])


def shortened(table: pd.DataFrame, most: int = MOST) -> pd.DataFrame:
    """At most so many rows, in their order: the front, the best of each backend, the last, then the best of all."""
    keep = [*table.index[table["front"]], *table.drop_duplicates("backend").index, table.index[-1], *table.index]
    return table[table.index.isin(list(dict.fromkeys(keep))[:most])]


def _exact(row: Row, registry: Registry) -> bool | None:
    worst, method = row["adjoint_error_theta_median"], registry.methods.get(base(row["method"]))
    if not math.isnan(worst) and worst > ROUNDING[precision(row["dtype"], row["matmul"])]:
        return False
    return method.exact if method is not None else None if math.isnan(worst) else True


def _ratios(rows: list[Row], fastest: Row | None) -> list[Ratio | None]:
    """The time of each relative to the fastest, None where it has no time."""
    timed = [row for row in rows if not math.isnan(row["seconds_median"])]
    found = iter(compare(timed, fastest) if fastest is not None else [])
    return [None if math.isnan(row["seconds_median"]) else next(found) for row in rows]


def _growths(regime: Regime, asked: Asked, best: pd.DataFrame) -> list[str]:
    """How the measure that is asked about grows, of each row's method and scheme."""
    over, case = regime.over, ["method", "scheme"]
    if over is None:
        return [""] * len(best)
    parts = regime.sizes[[*case, over, asked.column]].groupby(case, sort=False)
    found = {key: power(slope(part, over, asked.column), over) for key, part in parts}
    return [found.get(key, "") for key in zip(best["method"], best["scheme"], strict=True)]


def _remarks(row: Row, table: pd.DataFrame) -> Iterator[str]:
    ratio = row["ratio"]
    if ratio is not None:
        if ratio.value == 1 and row["seconds_median"] == table["seconds_median"].min():
            yield "fastest"
        elif ratio.undecided:
            yield "as fast as the fastest, as far as the data can tell"
    if row["peak_bytes"] == table["peak_bytes"].min():
        yield "smallest memory"
    if row["exact"]:
        yield "exact"
    elif row["exact"] is False:
        worst, rounding = row["adjoint_error_theta_median"], ROUNDING[precision(row["dtype"], row["matmul"])]
        by = "" if math.isnan(worst) else f" by {errors(worst)}" if worst > rounding else f" by less than {rounding:g}"
        yield f"biased{by}"
    if row["reason"]:
        yield str(row["reason"])
