"""Names with characters that mean something to matplotlib or to HTML: they are shown as they are."""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from harness.figure import KINDS
from harness.frames import load
from harness.record import Measured, Record
from harness.report.figures import draw
from harness.report.page import write_report
from harness.store import Run, new_run

NAMES = ("a/$x_{$", r"a/$\frac{x^2$", "b/<b>_^", "b/\\alpha$$\" onload='x")
SUITE = r"""
name: tiny
title: "What is $x_{$ or <b>?"
grid: [{problem: neural, noise: diagonal, method: jax/backprop}]
report:
  - {figure: scaling, x: steps, y: gradient_error_theta_median, facet: problem}
  - {figure: coverage}
"""


@pytest.fixture
def run(tmp_path: Path, make_case) -> Run:
    """Two problems and four methods, of which the last of each backend is biased."""
    made = new_run(tmp_path / "results", "tiny")
    environment = {
        "time": "t", "processor": "a $processor_{$ <b>", "usable_cores": 2, "logical_cores": 4, "memory_bytes": 2**33,
        "platform": "p", "kernel": "k", "python": "3", "packages": {"torch": "1", "jax": "2"}, "variables": {},
        "git_revision": None, "seed": 0, "suite_text": SUITE, "cuda_devices": {},
    }  # fmt: skip
    made.add_execution("tiny", environment)
    for problem in ("$p_{$", "<b>p^"):
        for steps in (16, 64, 256):
            for rank, method in enumerate(NAMES, start=1):
                errors = (0.1 * rank / steps, 0.2 * rank / steps)
                measured = Measured(
                    seconds=(1e-3 * steps / rank,),
                    pairing=str(steps),
                    peak_bytes=1000 * rank * steps,
                    gradient_error_theta=errors,
                    adjoint_error_theta=errors if rank % 2 else (1e-12, 1e-12),
                    reference_error=1e-9,
                )
                case = make_case(problem=problem, method=method, steps=steps)
                made.append(Record(run=made.id, suite="tiny", case=case, status="ok", measured=measured))
    return made


@pytest.fixture
def frame(run) -> pd.DataFrame:
    return load(run.folder)


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ({"figure": "scaling", "y": "gradient_error_theta_median", "facet": "problem"}, NAMES),
        ({"figure": "scaling", "x": "method", "y": "peak_bytes", "facet": "problem", "where": {"steps": 64}}, NAMES),
        ({"figure": "points", "facet": "problem", "where": {"steps": 64}}, NAMES),
        ({"figure": "box", "y": "gradient_error_theta_median", "facet": "problem"}, NAMES),
        ({"figure": "pareto", "facet": "problem", "where": {"steps": 64}}, NAMES),
        ({"figure": "bias", "facet": "problem"}, NAMES[::2]),
        ({"figure": "coverage", "x": "problem"}, NAMES),
        ({"figure": "samples"}, ()),
    ],
    ids=lambda keys: f"{keys['figure']} {keys.get('x', '')}" if isinstance(keys, dict) else "",
)
def test_figures_show_them_as_they_are(frame, keys, named):
    drawing = draw(KINDS[keys["figure"]](**keys), frame)
    assert drawing is not None
    assert "<b>" not in drawing.svg
    text = unescape(drawing.svg)
    for name in (*named, "$p_{$", "<b>p^"):
        assert name in text or name.partition("/")[2] in text, name
    assert "mathdefault" not in text


def test_the_page_shows_them_as_they_are(run, tmp_path):
    page = write_report(run, tmp_path / "report").read_text()
    body = page.partition('data-section="explore"')[0]  # the scripts of the libraries come after
    assert "<b>" not in body
    for name in (*NAMES, "What is $x_{$ or <b>?", "a $processor_{$ <b>"):
        assert name in unescape(page), name


class Attributes(HTMLParser):
    """The attributes of a page's elements by name, with the text of each."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            self.found.setdefault(name, []).append(value or "")


def test_no_name_leaves_its_attribute(run, tmp_path):
    """The descriptions of figures, which hold the names."""
    attributes = Attributes()
    attributes.feed(write_report(run, tmp_path / "report").read_text())
    assert any(NAMES[3] in text for text in attributes.found["aria-label"])
    assert not [name for name in attributes.found if name.startswith("on") or name in ("src", "srcset", "formaction")]
