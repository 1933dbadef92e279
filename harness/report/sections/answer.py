"""The answer to the suite's question, and what the records say in general."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from harness.grouping import differing
from harness.report.answer.general import answers, busy, by_machine
from harness.report.answer.overview import COLUMNS, overview, summary
from harness.report.answer.question import Asked, asked
from harness.report.answer.regimes import Regime, common, main_regimes, regimes
from harness.report.answer.sentences import answer
from harness.report.answer.standings import shortened, standings
from harness.report.answer.survival import settings, table_of
from harness.report.figure_element import buttons, elements
from harness.report.format import error, seconds, size
from harness.report.tables import Field, hint, table, value, values
from harness.report.trust import warnings
from harness.section import AbstractSection, Measurements

FEW = 2
"""With more regimes, the overview stands before the methods of one."""
MOST_REGIMES = 10
"""Rows of the overview that stand open."""


class Answer(AbstractSection):
    """Sentences and a small table for the question, an overview of the regimes, and the general findings."""

    name = "answer"
    title = "The answer"
    order = 10

    def html(self, measurements: Measurements) -> str:
        """First what was asked, then the rest."""
        question = asked(measurements.suite, measurements.frame)
        found = regimes(measurements.frame, question)
        mains = main_regimes(found)
        shown = Markup("").join(_table(main, question, measurements, k) for k, main in enumerate(mains))
        rows = overview(found, question, measurements.registry)
        counted = summary(rows) if len(measurements.machines) < 2 else []
        told = answer(measurements)
        first = _list("answers", [*counted, *told] if question.about == "time" else [*told, *counted])
        others = _overview(rows, question)
        figure = Markup("").join([*elements(measurements)[:1], buttons()] if elements(measurements) else [])
        parts = [others, figure, shown] if len(found) > FEW else [shown, figure, others]
        if question.about == "stability":
            parts = [_survival(measurements, question), figure]
        return Markup("").join([_notes(measurements), first, *parts, _general(measurements.frame, told)])


def _notes(measurements: Measurements) -> Markup:
    """What stands above all: why the times can't be trusted."""
    notes = [*_waited(measurements.frame), *warnings(measurements)]
    return Markup("").join(Markup('<p class="note">{}</p>\n').format(told) for told in notes)


def _waited(frame: pd.DataFrame) -> list[str]:
    return by_machine(frame[(frame["status"] == "ok") & (frame["threads"] == 1)], busy)


def _general(frame: pd.DataFrame, told: Sequence[str]) -> Markup:
    """What hasn't been said above."""
    said = {*_waited(frame), *told}
    found = [sentence for sentence in answers(frame) if sentence not in said]
    return Markup("<h3>In general</h3>\n{}").format(_list("general", found)) if found else Markup("")


def _list(name: str, items: list[str]) -> Markup:
    points = Markup("").join(Markup("<li>{}</li>").format(item) for item in items)
    return Markup('<ul id="{}">{}</ul>\n').format(name, points) if items else Markup("")


def _table(regime: Regime, question: Asked, measurements: Measurements, place: int) -> Markup:
    """The methods of a regime, at most ten. `place` counts the tables of this kind on the page."""
    frame = measurements.frame
    whole = standings(regime, question, measurements.registry)
    rows = shortened(whole)
    several = [axis for axis in ("scheme", "stepping", "rtol", "atol") if axis in differing(rows)]
    fields = [
        Field("method", lambda row: row["method"] + ("" if row["native"] else " (library)")),
        *(value(axis) for axis in several),
        *_measures(rows, question, regime),
        value("remark", wrap=True),
    ]
    left = f" {len(whole) - len(rows)} more methods are in the table of records." if len(rows) < len(whole) else ""
    schemes = " Each method with its best scheme." if frame["scheme"].nunique() > 1 else ""
    said = ", ".join(filter(None, [regime.where, common(frame)]))
    bold = " In bold: no other is better in time, memory and error at once." if rows["front"].any() else ""
    return hint(f"{said[:1].upper()}{said[1:]}.{schemes}{bold}{left}") + table(
        f"standings-{place}" if place else "standings", rows, fields, bold=lambda row: bool(row["front"])
    )


def _survival(measurements: Measurements, question: Asked) -> Markup:
    """How many gradients of each method can be used, in each setting."""
    found = settings(measurements.frame, question)
    if not found:
        return Markup("")
    rows = table_of(found)
    return hint(
        f"Gradients that are {found[0].usable}, of all cases with the method's schemes and {question.over or 'sizes'}."
        " Cases that can't be solved don't count."
    ) + table("survival", rows, values(rows.columns))


def _measures(rows: pd.DataFrame, question: Asked, regime: Regime) -> list[Field]:
    """What was measured, that which is asked about first."""
    fields = {
        "peak_bytes": value("peak_bytes", "memory", size),
        "seconds_median": value("seconds_median", "time", seconds),
        "gradient_error_theta_median": value("gradient_error_theta_median", "gradient error", error),
        "adjoint_error_theta_median": value("adjoint_error_theta_median", "adjoint error", error),
    }
    first = question.column
    names = [first, *(name for name in fields if name != first)]
    found = []
    for name in names:
        if rows[name].notna().any():
            found.append(fields[name])
            if name == first and regime.over and rows["growth"].map(bool).any():
                found.append(value("growth", f"growth with {regime.over}"))
    return found


def _overview(rows: pd.DataFrame, question: Asked) -> Markup:
    """A row a regime where there are several, those beyond ten folded."""
    if len(rows) < 2:
        return Markup("")
    fields = [value(column, COLUMNS[column], wrap=True) for column in COLUMNS if column in rows]
    shown = table("regimes", rows.head(MOST_REGIMES), fields)
    if len(rows) > MOST_REGIMES:
        rest = table("more-regimes", rows.tail(len(rows) - MOST_REGIMES), fields)
        more = Markup("<details><summary>{} more</summary>\n{}</details>\n")
        shown += more.format(len(rows) - MOST_REGIMES, rest)
    axis = f", at the largest {question.over}" if question.over else ""
    return hint(f"The best in each setting{axis}:") + shown
