"""The observed order of the gradient, where the suite asks for it."""

from __future__ import annotations

import functools

import pandas as pd

from harness.report.format import decimal
from harness.report.orders import COLUMNS, orders
from harness.report.tables import axes, hint, interval, table, value
from harness.section import AbstractSection, Measurements


@functools.lru_cache(maxsize=1)
def fitted(measurements: Measurements) -> pd.DataFrame:
    """The orders, none where the suite doesn't ask for them. A page fits them once: its answer sums them up."""
    if "orders" not in measurements.suite.tables:
        return pd.DataFrame(columns=COLUMNS)
    return orders(measurements.frame, measurements.registry)


class Orders(AbstractSection):
    """Observed beside theoretical orders."""

    name = "orders"
    title = "Observed order of the gradient"
    order = 40

    def html(self, measurements: Measurements) -> str:
        """A table."""
        found = fitted(measurements)
        if found.empty:
            return ""
        fields = [
            *axes(found, ["problem", "noise", "calculus", "scheme", "method"]),
            value("of"),
            value("order", write=decimal),
            interval("low", "high"),
            value("theory", write=decimal),
            value("verdict", wrap=True),
        ]
        return hint(
            "Minus the log–log slope of the median error over the number of steps, with its 95% interval over the"
            " Brownian paths, beside the scheme's theoretical strong order."
        ) + table("orders", found, fields)
