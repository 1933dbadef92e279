"""docs/answers.py: the page of the site that says what the published runs found."""

from __future__ import annotations

from pathlib import Path

from doc_scripts import doc_script

from harness.report.answer.sentences import answer
from harness.report.read import read
from harness.store import open_run

ROOT = Path(__file__).parent.parent


answers = doc_script("answers")


def test_every_published_run_answers_its_question():
    text = answers.answers()
    for folder in answers.RUNS:
        measurements, _ = read([open_run(folder)], plugins=False)
        assert f"## {measurements.suite.title}\n" in text
        assert str(folder.relative_to(ROOT)) in text
        assert all(f"- {sentence}\n" in text for sentence in answer(measurements))


def test_every_published_run_has_a_page_and_a_picture_of_it():
    for suite in (folder.parent.name for folder in answers.RUNS):
        assert (ROOT / f"report/published/{suite}.html").is_file()
        assert (ROOT / f"docs/images/page-{suite}.png").is_file()
