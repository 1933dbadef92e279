"""Sections of the page: found like methods, in their order, and one that fails costs no more than itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.record import Measured, Record
from harness.registry import Registry
from harness.report.page import write_report
from harness.store import Run, new_run

PLUGIN = """
from markupsafe import Markup
from harness import AbstractSection

class Count(AbstractSection):
    name = "count"
    title = "How many"
    order = 15

    def html(self, measurements):
        return Markup("<p>{} record of {}</p>").format(len(measurements.frame), measurements.suite.name)

class Silent(Count):
    name = "silent"

    def html(self, measurements):
        return ""

class Broken(Count):
    name = "broken"
    order = 16

    def html(self, measurements):
        raise ZeroDivisionError("<b>nothing</b> to divide by")
"""


@pytest.fixture
def run(tmp_path: Path, make_case) -> Run:
    """One record, of a suite that names the plugin."""
    plugin = tmp_path / "sections.py"
    plugin.write_text(PLUGIN)
    suite = f"""
name: tiny
title: A question?
grid: [{{problem: neural, noise: diagonal, method: torch/backprop}}]
plugins: ['{plugin}']
"""
    made = new_run(tmp_path / "results", "tiny")
    environment = {
        "time": "t", "processor": "a processor", "usable_cores": 2, "logical_cores": 4, "memory_bytes": 2**33,
        "platform": "p", "kernel": "k", "python": "3", "packages": {"torch": "1", "jax": "2"}, "variables": {},
        "git_revision": None, "seed": 0, "suite_text": suite, "cuda_devices": {},
    }  # fmt: skip
    made.add_execution("tiny", environment)
    made.append(Record(run=made.id, suite="tiny", case=make_case(), status="ok"))
    return made


def names_of(page: str) -> list[str]:
    """The sections of a page."""
    return re.findall(r'<section data-section="([^"]+)">', page)


def test_the_sections_of_a_plugin_are_on_the_page(run, tmp_path):
    page = write_report(run, tmp_path / "report", plugins=True).read_text()
    assert names_of(page) == ["answer", "count", "broken", "explore", "environment"]
    assert "<p>1 record of tiny</p>" in page


def test_a_section_that_raises_says_why(run, tmp_path):
    page = write_report(run, tmp_path / "report", plugins=True).read_text()
    assert "ZeroDivisionError: &lt;b&gt;nothing&lt;/b&gt; to divide by" in page
    assert '<table id="records"' in page


def test_a_page_without_its_plugins(run, tmp_path):
    """The plugin's file may be gone when the page is written again."""
    (tmp_path / "sections.py").unlink()
    page = write_report(run, tmp_path / "report", plugins=True).read_text()
    assert "no such file" in page
    assert names_of(page) == ["answer", "explore", "environment"]


def test_sections_have_different_names_and_places():
    found = Registry.load().sections()
    assert len({section.name for section in found}) == len({section.order for section in found}) == len(found)
    assert [section.order for section in found] == sorted(section.order for section in found)


def test_warnings_of_the_machine_stand_above_the_answer(run, tmp_path, make_case):
    measured = Measured(seconds=(1.0,), repeats=1, pairing="one")
    run.append(Record(run=run.id, suite="tiny", case=make_case(), status="ok", measured=measured))
    unchecked = write_report(run, tmp_path / "report").read_text()
    assert "did not check its machine" in unchecked
    run.add_execution("tiny", {**run.about()["executions"][0], "warnings": ["GPU <b>: slow", "2 of 2 cores in use"]})
    page = write_report(run, tmp_path / "report").read_text()
    answer = page.partition('data-section="answer"')[2].partition("</section>")[0]
    notes = re.findall(r'<p class="note">(.*?)</p>', answer)
    assert len(notes) == 2
    assert "GPU &lt;b&gt;: slow" in notes[0]
    assert "GPU &lt;b&gt;: slow and 2 of 2 cores in use" in page.partition('class="environment"')[2]


def test_a_run_without_times_has_no_warning_about_them(run, tmp_path):
    run.add_execution("tiny", {**run.about()["executions"][0], "warnings": ["2 of 2 cores in use"]})
    page = write_report(run, tmp_path / "report").read_text()
    answer = page.partition('data-section="answer"')[2].partition("</section>")[0]
    assert 'class="note"' not in answer
    assert "No times were measured, which other programs on the machine could have disturbed." in page


def test_a_run_that_ended_early_says_so_above_all(run, tmp_path):
    assert "was ended early" not in write_report(run, tmp_path / "report").read_text()
    run.add_execution("tiny", {**run.about()["executions"][0], "cases": 97})
    page = write_report(run, tmp_path / "report").read_text()
    before, said, _ = page.partition("The run has 1 of its 97 cases: it was ended early, or hasn&#39;t ended yet.")
    assert said
    assert "data-section" not in before
    run.add_execution("tiny", {**run.about()["executions"][0], "cases": 1})
    assert "was ended early" not in write_report(run, tmp_path / "report").read_text()


def test_the_page_says_how_it_was_measured(run, tmp_path):
    environment = write_report(run, tmp_path / "report").read_text().partition('data-section="environment"')[2]
    for name in ("Time", "Memory", "Errors"):
        assert f"<dt>{name}</dt>" in environment
