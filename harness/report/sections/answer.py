"""The answer in a few sentences."""

from __future__ import annotations

from markupsafe import Markup

from harness.report.answers import answers
from harness.report.orders import tally
from harness.report.sections.orders import fitted
from harness.section import AbstractSection, Measurements


class Answer(AbstractSection):
    """Sentences on what was measured, those on the fitted orders first."""

    name = "answer"
    title = "The answer"
    order = 10

    def html(self, measurements: Measurements) -> str:
        """A list of sentences."""
        verdicts = list(fitted(measurements)["verdict"])
        sentences = [*([tally(verdicts)] if verdicts else []), *answers(measurements.frame)]
        items = Markup("").join(Markup("<li>{}</li>").format(sentence) for sentence in sentences)
        return Markup('<ul id="answers">{}</ul>').format(items)
