"""The figures that the suite asks for, and the raw samples of the times."""

from __future__ import annotations

from markupsafe import Markup

from harness.report.figure_element import buttons, elements, samples_element
from harness.section import AbstractSection, Measurements


class Figures(AbstractSection):
    """Each figure but the first, which stands in the answer with the buttons' script; last the samples of the times."""

    name = "figures"
    title = "Figures"
    order = 20

    def html(self, measurements: Measurements) -> str:
        """Figure elements."""
        asked, samples = elements(measurements), samples_element(measurements)
        raw = Markup('<h3 id="samples">The samples of the times</h3>\n{}').format(samples) if samples else Markup("")
        return Markup("\n").join([*asked[1:], raw, *([buttons()] if raw and not asked else [])])
