"""The figures that the suite asks for."""

from __future__ import annotations

from markupsafe import Markup

from harness.report.figure_element import elements
from harness.section import AbstractSection, Measurements


class Figures(AbstractSection):
    """Each figure but the first, which stands in the answer."""

    name = "figures"
    title = "Figures"
    order = 20

    def html(self, measurements: Measurements) -> str:
        """Figure elements."""
        return Markup("\n").join(elements(measurements)[1:])
