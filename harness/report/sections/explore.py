"""All records, in a chart and a table that a person can change."""

from __future__ import annotations

from markupsafe import Markup

from harness.column import UNRESOLVED
from harness.report.explore.content import content
from harness.report.explore.view import first_view
from harness.report.libraries import data_tables, data_tables_style, vega
from harness.report.packed import packed
from harness.report.templating import render, script
from harness.section import AbstractSection, Measurements

SCRIPTS = (
    "unpack",
    *(f"explore/{name}" for name in ("records", "filters", "state", "controls", "table", "chart", "main")),
)


class Explore(AbstractSection):
    """One chart and the table of the records that it shows."""

    name = "explore"
    title = "Explore"
    order = 25

    def html(self, measurements: Measurements) -> str:
        """The controls, the records, the libraries and the script; nothing where there is no record."""
        frame, suite = measurements.frame, measurements.suite
        if frame.empty:
            return ""
        texts = {
            "data": content(frame, first_view(frame, list(suite.report))),
            "vega": vega(),
            "datatables": data_tables(),
            "style": data_tables_style(),
        }
        return Markup(
            render(
                "explore.html",
                file=suite.name,
                unresolved=f"{UNRESOLVED:g}",
                packs=[(name, packed(text)) for name, text in texts.items()],
                script=script(*(f"{name}.js" for name in SCRIPTS)),
            )
        )
