"""The runs committed under results/published, and the tables and sentences that the documentation makes of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from doc_scripts import doc_script

from harness.frames import load
from harness.report.answer.question import asked
from harness.report.format import error
from harness.report.read import read
from harness.store import open_run

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/results.md").read_text()
CHOICE = (ROOT / "docs/how-to-choose.md").read_text()


published = doc_script("published")
RUNS: dict[str, Path] = published.RUNS


@pytest.mark.parametrize("suite", published.TABLES)
def test_tables_are_those_of_the_runs(suite):
    assert published.rows_below(PAGE, f"`{suite}`") == published.TABLES[suite](load(RUNS[suite]))


def test_tables_are_written_where_they_stand():
    """Other rows come into the one table, and the page is the same around it."""
    rows = published.rows_below(PAGE, "`memory`")
    page = published.with_rows(PAGE, "`memory`", [*rows[:3], ["new", "row"]])
    assert published.rows_below(page, "`memory`") == [*rows[:3], ["new", "row"]]
    assert published.with_rows(page, "`memory`", rows) == PAGE


def test_the_costs_on_the_page_of_the_choice_are_those_of_a_run():
    """Peak memory and time at the most steps, in the table and in the sentence below it."""
    rows = published.rows_below(CHOICE, published.COSTS)
    assert rows == published.choice(rows)
    frame = load(RUNS["memory"])
    largest = frame[(frame["status"] == "ok") & (frame["steps"] == frame["steps"].max())].set_index(
        ["method", "scheme"]
    )
    for backend in ("torch", "jax"):
        (row,) = largest.loc[[(f"{backend}/backprop", "reversible-heun")]].to_dict("records")
        assert " and ".join(published.cost(row)) in " ".join(CHOICE.split())


def test_the_errors_on_the_page_of_the_choice_are_those_of_a_run():
    frame = load(RUNS["noise"])
    assert str(RUNS["noise"].relative_to(ROOT)) in CHOICE
    rows = published.rows_below(CHOICE, "The two errors")
    methods = ("torch/backprop", "torch/adjoint", "torchsde/adjoint")
    assert [row[0] for row in rows] == ["Stratonovich, Heun", "Itô, Euler"]
    frame = frame[frame["noise"] == "diagonal"].set_index(["calculus", "scheme", "method"])
    for (_, *shown), *key in zip(rows, ("stratonovich", "ito"), ("heun", "euler"), strict=True):
        adjoint = [frame.loc[(*key, method), "adjoint_error_theta_median"] for method in methods]
        assert shown == [error(x) for x in (frame.loc[(*key, methods[0]), "gradient_error_theta_median"], *adjoint)]
    biased = error(frame.loc[("ito", "euler", "torch/adjoint"), "gradient_error_theta_median"])  # in a sentence
    assert f"`torch/adjoint` has a gradient error of {biased}" in " ".join(CHOICE.split())


@pytest.mark.parametrize("suite", RUNS)
def test_a_published_run_says_what_it_was_taken_with(suite):
    """Nothing failed, but where that is the question; the code was a commit, the machine had nothing else to do."""
    run = open_run(RUNS[suite])
    frame = load(RUNS[suite])
    answers = (
        {"diverged", "unstable"} if asked(read([run], plugins=False)[0].suite, frame).about == "stability" else set()
    )
    assert set(frame["status"]) <= {"ok", "unsupported", *answers}
    on_cpu = frame.loc[frame["device"] == "cpu", "cpu_ratio"].dropna()
    assert on_cpu.empty or on_cpu.median() > 0.95
    for execution in run.about()["executions"]:
        assert execution["processor"]
        assert execution["packages"]["torch"]
        assert re.fullmatch(r"[0-9a-f]{40}", execution["git_revision"])
    assert str(run.folder.relative_to(ROOT)) in PAGE or suite not in published.TABLES
