"""The page of a comparison of two runs."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from markupsafe import Markup

from harness.column import Format
from harness.comparison import Comparison
from harness.comparison.quantities import quantities
from harness.comparison.summary import LABELS, VERDICTS, sentences, summary
from harness.comparison.verdict import SAME
from harness.grouping import telling
from harness.record import Row
from harness.report.drawings import changes as drawing
from harness.report.figure_element import buttons, element
from harness.report.figures import STYLE, svg_of
from harness.report.format import FORMATS, NOTHING, decimal, listing, missing, plural, ratio
from harness.report.page import write_index
from harness.report.palette import Palette
from harness.report.tables import Field, table, value, values
from harness.report.templating import render
from harness.report.visible import visible
from harness.store import Run
from harness.written import write_text

MOST_CHANGES = 300
"""Real changes that the page lists, the largest first. The figures' data has all."""
NAMED = ("method", "scheme", "problem", "noise", "dim", "batch", "steps")
"""What always tells which case a row is about; other axes do where they have to."""
MOST_NAMES = 12
"""Methods whose means a figure's description names."""
FORMAT: dict[str, Format] = {quantity.name: quantity.format for quantity in quantities()}


def write_comparison(comparison: Comparison, folder: Path) -> Path:
    """Write `folder/<suite>.compare.html` and the index of the folder; return the page's path."""
    about = comparison.after.about()
    suite, runs = about["suite"], (comparison.before.id, comparison.after.id)
    title = f"What changed in {suite}?"
    page = render(
        "comparison.html",
        title=title,
        before=_run(comparison.before),
        after=_run(comparison.after),
        sentences=sentences(comparison),
        environment=comparison.environment,
        figures=_figures(comparison),
        summary=_summary(comparison),
        changes=_changes(comparison),
        statuses=_statuses(comparison),
        meta=json.dumps(
            {
                "name": f"{suite}, compared",
                "title": title,
                "run": " and ".join(runs),
                "cases": comparison.changes["case"].nunique(),
                "machine": about["executions"][-1]["processor"],
            }
        ),
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{suite}.compare.html"
    write_text(path, visible(page))
    write_index(folder)
    return path


def _run(run: Run) -> str:
    executed = run.about()["executions"][-1]
    return f"{run.id} ({executed['processor']}, measured at {executed['time']})"


def _figures(comparison: Comparison) -> Markup:
    """A figure for each quantity with a change that isn't within the threshold."""
    palette = Palette.of(comparison.records)
    found = []
    for quantity, label in LABELS.items():
        of = comparison.changes[comparison.changes["quantity"] == quantity]
        if len(of) and (of["verdict"] != SAME).any():
            with mpl.rc_context(STYLE), sns.axes_style("whitegrid"):
                grid = drawing.plot(of, palette, label=label, threshold=comparison.threshold)
                grid.lay_out()
                plt.close(grid.figure)
                svg = svg_of(grid.figure)
            found.append(
                element(
                    name=f"compare-figure-{len(found) + 1}",
                    number=len(found) + 1,
                    svg=svg,
                    alt=_alt(label, of),
                    caption=f"{label[0].upper()}{label[1:]}, after over before: a point a case with its 95% interval,"
                    " pale where the change isn't real; a bar at the geometric mean. Within the grey band a change"
                    " doesn't count.",
                    data=of,
                )
            )
    return Markup("").join([*found, *([buttons()] if found else [])])


def _alt(label: str, changes: pd.DataFrame) -> str:
    means = summary(changes)
    told = [f"{row.method} {ratio(row.mean)}" for row in means.sort_values("mean").itertuples()]
    named = listing(told[:MOST_NAMES])
    return f"Dot chart of {label}, after over before. {plural(len(told), 'method')}, geometric means: {named}."


def _summary(comparison: Comparison) -> Markup:
    found = summary(comparison.changes)
    found["quantity"] = found["quantity"].map(LABELS)
    ratios = [value(name, write=ratio) for name in ("mean", "least", "greatest")]
    return table("summary", found, [*values(["quantity", "method", "cases"]), *ratios, *values(VERDICTS)])


def _changes(comparison: Comparison) -> Markup:
    """The real changes, the largest first."""
    real = comparison.changes[comparison.changes["verdict"].isin(["worse", "better"])]
    if real.empty:
        return Markup("")
    return table("changes", largest(real).head(MOST_CHANGES), change_fields(real))


def largest(changes: pd.DataFrame) -> pd.DataFrame:
    """The changes in the order of their sizes, whether up or down, the largest first."""
    ratios = changes["ratio"]
    size = ratios.where(ratios >= 1, 1 / ratios)
    return changes.loc[size.sort_values(ascending=False, kind="stable").index]


def change_fields(changes: pd.DataFrame) -> list[Field]:
    """The columns of a table of changes: what tells the cases apart, the values, the ratio and the verdict."""
    others = telling(changes, NAMED)
    return [
        Field("quantity", lambda row: LABELS[row["quantity"]]),
        *values([*NAMED, *others]),
        Field("before", lambda row: _written(row, "before")),
        Field("after", lambda row: _written(row, "after")),
        value("ratio", write=ratio),
        Field("95% interval", _interval),
        value("verdict"),
    ]


def _written(row: Row, name: str) -> str:
    """A time that is relative to another method's is a ratio."""
    return ratio(row[name]) if row["unit"] == "ratio" else FORMATS[FORMAT[row["quantity"]]](row[name])


def _interval(row: Row) -> str:
    """Nothing where a quantity has no spread."""
    return (
        NOTHING
        if missing(row["low"]) or row["low"] == row["high"]
        else f"{decimal(row['low'])} – {decimal(row['high'])}"
    )


def _statuses(comparison: Comparison) -> Markup:
    if comparison.statuses.empty:
        return Markup("")
    fields = [*values([*NAMED, "before", "after"]), value("reason", wrap=True)]
    return table("statuses", comparison.statuses, fields)
