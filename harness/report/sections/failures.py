"""What failed, and why."""

from __future__ import annotations

from harness.report.reasons import reasons
from harness.report.tables import axes, table, value
from harness.section import AbstractSection, Measurements


class Failures(AbstractSection):
    """Cases that could be done and were not."""

    name = "failures"
    title = "What failed"
    order = 70

    def html(self, measurements: Measurements) -> str:
        """A table."""
        frame = measurements.frame
        found = reasons(frame[~frame["status"].isin(["ok", "unsupported"])])
        fields = [*axes(found, ["status", "method", "scheme"]), value("cases"), value("reason", wrap=True)]
        return table("failures", found, fields) if len(found) else ""
