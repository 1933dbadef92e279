"""Each method's largest error against its own discrete solve, where the suite asks for it."""

from __future__ import annotations

from harness.report.exactness import exactness
from harness.report.format import error
from harness.report.tables import axes, hint, table, value
from harness.section import AbstractSection, Measurements


class Exactness(AbstractSection):
    """The largest adjoint errors."""

    name = "exactness"
    title = "Exactness"
    order = 60

    def html(self, measurements: Measurements) -> str:
        """A table."""
        if "exactness" not in measurements.suite.tables:
            return ""
        found = exactness(measurements.frame)
        if found.empty:
            return ""
        fields = [
            *axes(found, ["method", "dtype", "brownian"]),
            value("settings"),
            value("cases"),
            value("sizes", "steps"),
            value("theta", "largest error θ", error),
            value("y0", "largest error y0", error),
            value("where", "the larger is that of", wrap=True),
            value("diverged"),
        ]
        return hint(
            "The largest relative error of a method's gradient against that of the very same discrete solve,"
            " computed by backpropagation in float64, over all its cases: rounding for an exact method, the"
            " method's bias for another. In float32 the solve itself is rounded too."
        ) + table("exactness", found, fields)
