"""The powers at which time and memory grow, where the suite asks for them."""

from __future__ import annotations

from harness.report.exponents import exponents
from harness.report.format import decimal
from harness.report.tables import axes, hint, interval, table, value
from harness.section import AbstractSection, Measurements


class Exponents(AbstractSection):
    """Fitted powers beside Table 1 of Li et al. 2020."""

    name = "exponents"
    title = "Growth of time and memory"
    order = 50

    def html(self, measurements: Measurements) -> str:
        """A table."""
        if "exponents" not in measurements.suite.tables:
            return ""
        found = exponents(measurements.frame)
        if found.empty:
            return ""
        fields = [
            *axes(found, ["method", "scheme", "noise", "dim", "batch", "brownian"], within=["grows"]),
            value("grows"),
            value("sizes"),
            value("time", write=decimal),
            interval("time_low", "time_high"),
            value("memory", write=decimal),
            interval("memory_low", "memory_high"),
            value("memory_growth", "memory's growth", decimal),
            value("paper_time", "paper: time"),
            value("paper_memory", "paper: memory"),
        ]
        return hint(
            "The power of the number of steps, or of parameters, at which time and peak memory grow: log–log slopes"
            " over the sizes, with 95% intervals, beside Table 1 of Li et al. 2020 (L steps, D states and"
            " parameters; its adjoint queries a virtual Brownian tree). A constant part makes a slope over small"
            " sizes smaller than the power that it tends to: “memory's growth” is that power, fitted with a"
            " constant beside it (0 is a logarithm; a dash with three sizes, and where memory grows by less than 2%)."
        ) + table("exponents", found, fields)
