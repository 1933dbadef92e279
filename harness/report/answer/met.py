"""How nearly the gradient of the discrete solve is met, over all cases, in sentences."""

from __future__ import annotations

import pandas as pd

from harness.frames import numbers
from harness.grouping import gradients, precisions
from harness.record import Row
from harness.report.answer.contest import ROUNDING
from harness.report.answer.names import by_approach, case_name
from harness.report.exactness import exactness
from harness.report.format import error, listing
from harness.report.tables import dicts


def met(methods: pd.DataFrame) -> list[str]:
    """Of each precision the methods that meet it to rounding, and those that miss it."""
    known = methods.dropna(subset=["adjoint_error_theta_median"])
    if known.empty:
        return []
    known = known.assign(worst=[_worst(row) for row in dicts(known)])
    sentences = []
    for precision, group in known.groupby(precisions(known)):
        rounding = ROUNDING[str(precision)]
        by_method = group.sort_values("worst").drop_duplicates("method", keep="last")
        worst = by_method.set_index("method")["worst"]
        exact = [str(m) for m, v in worst.items() if v <= rounding]
        missing = dicts(by_method[by_method["worst"] > rounding])
        biased = [f"{case_name(row, group)} (up to {error(row['worst'])})" for row in missing]
        if exact:
            reached = error(worst[exact].max())
            sentences.append(
                f"In {precision} the gradient of the discrete solve is met to {reached} by {by_approach(exact)}."
            )
        if biased:
            sentences.append(f"In {precision} it is missed by {listing(biased)}.")
    return sentences


def met_and_where(frame: pd.DataFrame) -> list[str]:
    """The same, and of each precision where the largest error of the methods that meet it is."""
    sentences = []
    for precision, part in frame.groupby(precisions(frame)):
        sentences += met(gradients(part[part["status"] == "ok"]))
        table = exactness(part)
        table["worst"] = table[["theta", "y0"]].max(axis=1)
        exact = table[table["worst"] <= ROUNDING[str(precision)]]
        if len(exact):
            (row,) = dicts(exact.sort_values("worst").tail(1))
            sentences.append(f"The largest error of those that meet it is that of {row['method']}: {row['where']}.")
    return sentences


def _worst(row: Row) -> float:
    """The largest error against the discrete solve: of θ and of y0, on every path."""
    return max(numbers([*row["adjoint_error_theta"], *row["adjoint_error_y0"]]))
