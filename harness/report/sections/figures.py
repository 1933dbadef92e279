"""The figures that the suite asks for."""

from __future__ import annotations

from markupsafe import Markup

from harness.figure import Figure
from harness.report.alt import alt_text
from harness.report.figures import Drawing, draw
from harness.report.packed import packed
from harness.report.templating import render, script
from harness.section import AbstractSection, Measurements


class Figures(AbstractSection):
    """Each figure with its caption and its downloads, those without data left out."""

    name = "figures"
    title = "Figures"
    order = 20

    def html(self, measurements: Measurements) -> str:
        """Figure elements, and the script of their buttons."""
        suite = measurements.suite
        drawn = [(figure, draw(figure, measurements.frame)) for figure in suite.report]
        shown = [(figure, drawing) for figure, drawing in drawn if drawing]
        if not shown:
            return ""
        elements = [_element(suite.name, number, *pair) for number, pair in enumerate(shown, start=1)]
        module = Markup('<script type="module">\n{}</script>').format(script("unpack.js", "figures.js"))
        return Markup("\n").join([*elements, module])


def _element(suite: str, number: int, figure: Figure, drawing: Drawing) -> Markup:
    alt = Markup('<svg role="img" aria-label="{}"').format(alt_text(figure, drawing.data))
    # Pictures are made by matplotlib from numbers and registered names, which it escapes.
    svg = alt + Markup(drawing.svg.removeprefix("<svg"))
    return Markup(
        render(
            "figure.html",
            name=f"{suite}-figure-{number}",
            number=number,
            svg=svg,
            caption=figure.caption,
            data=packed(drawing.data.to_csv(index=False)),
        )
    )
