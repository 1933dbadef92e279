"""Which gradient method to use for a model of one's own."""

from __future__ import annotations

from markupsafe import Markup

from harness.report.recommendation import sentences
from harness.report.tables import scrolling
from harness.section import AbstractSection, Measurements


class Recommendation(AbstractSection):
    """What was found of the model, and sentences that recommend methods, where a suite has models."""

    name = "recommendation"
    title = "Which method to use"
    order = 5

    def html(self, measurements: Measurements) -> str:
        """A table of the models and a list of sentences."""
        models: dict[str, list[str]] = measurements.executions[-1].get("models", {})
        if not models:
            return ""
        rows = Markup("").join(
            Markup('<tr><th scope="row">{}</th><td class="wrap">{}</td></tr>\n').format(
                name, ". ".join([*told, ""]).strip()
            )
            for name, told in models.items()
        )
        frame = measurements.frame
        found = sentences(frame[frame["problem"].isin(list(models))])
        items = Markup("").join(Markup("<li>{}</li>").format(sentence) for sentence in found)
        table = scrolling(
            Markup('<table class="environment"><tbody>\n{}</tbody></table>').format(rows), "Table: models"
        )
        return Markup('<ul id="recommendations">{}</ul>\n{}').format(items, table)
