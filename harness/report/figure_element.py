"""The figures of a suite as elements of its page."""

from __future__ import annotations

import functools
import io
import re

import pandas as pd
from markupsafe import Markup

from harness.errors import described
from harness.figure import Figure, Samples
from harness.report.alt import alt_text
from harness.report.figures import Drawing, draw
from harness.report.packed import packed
from harness.report.templating import render, script
from harness.section import Measurements
from harness.spreadsheet import write_csv


@functools.lru_cache(maxsize=1)
def elements(measurements: Measurements) -> tuple[Markup, ...]:
    """The suite's figures with their captions and downloads, those without data left out. A page draws them once."""
    found: list[Markup] = []
    for figure in measurements.suite.report:
        found += _drawn(figure, measurements, len(found) + 1)
    return tuple(found)


def samples_element(measurements: Measurements) -> Markup:
    """The raw samples of the times, which every page with times shows; "" where the suite's own figures do."""
    if any(isinstance(figure, Samples) for figure in measurements.suite.report):
        return Markup("")
    number = len(elements(measurements)) + 1
    return Markup("").join(_drawn(Samples(figure="samples"), measurements, number))


def _drawn(figure: Figure, measurements: Measurements, number: int) -> list[Markup]:
    """The figure as an element, nothing where there is no data.

    One that can't be drawn says so in its place, so that it costs no other and no answer.
    """
    try:
        drawing = draw(figure, measurements.frame)
        return [] if drawing is None else [_element(measurements.suite.name, number, figure, drawing)]
    except Exception as error:
        fault = f"This figure could not be drawn: {described(error)}"
        return [Markup('<p class="note">{}</p>').format(fault)]


def buttons() -> Markup:
    """The script of the figures' buttons: once a page."""
    return Markup('<script type="module">\n{}</script>').format(script("unpack.js", "figures.js"))


def element(*, name: str, number: int, svg: str, alt: str, caption: str, data: pd.DataFrame) -> Markup:
    """A figure with its caption and its downloads. `name` is that of the files."""
    opened = Markup('<svg role="img" aria-label="{}"').format(alt)
    # Pictures are made by matplotlib from numbers and registered names, which it escapes.
    picture = opened + Markup(svg.removeprefix("<svg"))
    csv = io.StringIO()
    write_csv(data, csv)
    texts = {"svg": picture, "width": _pixels(svg), "caption": caption, "data": packed(csv.getvalue())}
    return Markup(render("figure.html", name=name, number=number, **texts))


def _pixels(svg: str) -> int:
    """The width of a picture of matplotlib, which says it in points."""
    (points,) = re.findall(r'^<svg[^>]* width="([\d.]+)pt"', svg)
    return round(float(points) * 96 / 72)


def _element(suite: str, number: int, figure: Figure, drawing: Drawing) -> Markup:
    return element(
        name=f"{suite}-figure-{number}",
        number=number,
        svg=drawing.svg,
        alt=alt_text(figure, drawing.data),
        caption=figure.caption,
        data=drawing.data,
    )
