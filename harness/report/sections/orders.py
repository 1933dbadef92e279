"""The observed order of the gradient, where the suite asks for it."""

from __future__ import annotations

from harness.report.format import decimal
from harness.report.orders import fitted
from harness.report.tables import axes, hint, interval, table, value
from harness.section import AbstractSection, Measurements


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
