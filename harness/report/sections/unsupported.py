"""What is unsupported, and why."""

from __future__ import annotations

from harness.report.reasons import reasons
from harness.report.tables import axes, table, value
from harness.section import AbstractSection, Measurements


class Unsupported(AbstractSection):
    """Cases that a method, scheme or problem can't do."""

    name = "unsupported"
    title = "What is unsupported"
    order = 90

    def html(self, measurements: Measurements) -> str:
        """A table."""
        frame = measurements.frame
        found = reasons(frame[frame["status"] == "unsupported"])
        fields = [*axes(found, ["method", "scheme"]), value("cases"), value("reason", wrap=True)]
        return table("unsupported", found, fields) if len(found) else ""
