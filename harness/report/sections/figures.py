"""The figures that the suite asks for."""

from __future__ import annotations

from markupsafe import Markup

from harness.report.figures import draw
from harness.section import AbstractSection, Measurements


class Figures(AbstractSection):
    """Each figure with its caption, those without data left out."""

    name = "figures"
    title = "Figures"
    order = 20

    def html(self, measurements: Measurements) -> str:
        """Figure elements."""
        drawn = [(draw(figure, measurements.frame), figure.caption) for figure in measurements.suite.report]
        # Pictures are made by matplotlib from numbers and registered names, which it escapes.
        return Markup("\n").join(
            Markup("<figure>{}<figcaption>{}</figcaption></figure>").format(Markup(drawing.svg), caption)
            for drawing, caption in drawn
            if drawing
        )
