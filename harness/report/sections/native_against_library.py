"""Native methods against the libraries."""

from __future__ import annotations

from harness.frames import speedups
from harness.report.format import decimal
from harness.report.ratios import ratios
from harness.report.tables import axes, hint, interval, table, times, value, values
from harness.section import AbstractSection, Measurements

ONE = "one round"
"""Instead of an interval, where two methods were timed in turn but once."""


class NativeAgainstLibrary(AbstractSection):
    """The paired ratios: their means, and each one."""

    name = "native-against-library"
    title = "Native against library"
    order = 30

    def html(self, measurements: Measurements) -> str:
        """Two tables, nothing where no pair was timed in turn."""
        pairs = speedups(measurements.frame)
        if pairs.empty:
            return ""
        means = ratios(pairs)
        methods = values(["native", "library"])
        of_means = [
            *methods,
            *axes(means, ["brownian"]),
            value("comparisons"),
            times("mean"),
            times("least"),
            interval("least_low", "least_high", ONE),
            times("greatest"),
            value("slower", "slower in"),
            value("floor", "over floor", decimal),
            value("where", "worst case", wrap=True),
        ]
        of_pairs = [
            *methods,
            times("ratio"),
            interval("low", "high", ONE),
            value("floor_ratio", "over floor", decimal),
            *axes(pairs, ["scheme", "problem", "noise", "calculus", "dim", "batch", "steps", "brownian"]),
        ]
        return "".join(
            [
                hint(
                    "How many times as fast the native method is with the same scheme: the geometric mean over blocks,"
                    " and the least with its 95% interval. “Over floor” is the native method's own time over the bare"
                    " evaluations, products and noise."
                ),
                table("ratios", means, of_means),
                hint("Block by block: timed in turn, the median of the ratios round by round, with its 95% interval."),
                table("speedups", pairs, of_pairs),
            ]
        )
