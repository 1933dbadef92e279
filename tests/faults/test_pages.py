"""The page never costs a run: what is wrong with its folder is said before, or after, and the records are kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from commands import command
from executors import FakeExecutor
from faults.toys import lines, write_suite

from harness import session
from harness.figure import KINDS, Points
from harness.report.figures import DRAWINGS, Kind
from harness.report.sections.environment import Environment

PAGE = '<!doctype html><meta name="gradient-harness" content="{}">'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a suite of one case."""
    write_suite(tmp_path)
    return tmp_path


@pytest.mark.parametrize("report", ["toy.yaml", "toy.yaml/below", "/proc/self"])
def test_a_folder_that_takes_no_page_is_refused_before_anything_is_measured(folder: Path, report: str):
    done = command(folder, "run", "toy.yaml", "--report", report)
    assert done.returncode == 2
    imports, fault = done.stderr.splitlines()
    assert imports == "importing toys.py"
    assert fault.startswith("error: --report: ")
    assert not (folder / "results").exists()


def test_foreign_and_broken_files_beside_the_page(folder: Path):
    report = folder / "report"
    report.mkdir()
    (report / "latin.html").write_bytes(b"caf\xe9" + PAGE.format("{").encode())
    (report / "broken.html").write_text(PAGE.format("{&quot;name&quot;: 5}"))
    (report / "deep.html").write_text(PAGE.format("[" * 3000))
    (report / "list.html").write_text(PAGE.format("[1]"))
    (report / "empty.html").touch()
    (report / "folder.html").mkdir()
    (report / "dangling.html").symlink_to("nowhere")
    os.mkfifo(report / "pipe.html")
    done = command(folder, "run", "toy.yaml")
    assert done.returncode == 0, done.stderr
    index = (report / "index.html").read_text()
    assert index.count("<tr><td") == 1
    assert "toy.html" in index


def test_a_page_that_cannot_be_written_costs_no_record(folder: Path):
    (folder / "report/toy.html").mkdir(parents=True)
    done = command(folder, "run", "toy.yaml")
    assert done.returncode == 1
    assert "The page can't be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert [row["status"] for row in lines(folder)] == ["ok"]
    (folder / "report/toy.html").rmdir()
    assert command(folder, "report", "toy").returncode == 0


def test_a_figure_that_fails_is_said_in_its_place(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """The answer, which holds the first figure, stays."""

    def fail(*_: object) -> Any:
        raise ZeroDivisionError("odd")

    write_suite(folder, more="report: [{figure: points}, {figure: coverage}]\n")
    assert command(folder, "run", "toy.yaml").returncode == 0
    monkeypatch.setitem(DRAWINGS, Points, Kind(fail, fail))
    assert command(folder, "report", "toy").returncode == 0
    page = (folder / "report/toy.html").read_text()
    assert "This figure could not be drawn: ZeroDivisionError: odd" in page
    assert 'id="answers"' in page
    assert 'data-figure="toy-figure-2"' in page


@pytest.mark.parametrize("status", ["failed", "unsupported", "diverged", ""])
def test_a_page_of_nothing_that_was_measured_is_whole(tmp_path: Path, status: str):
    """With all tables and figures; without a status there is no record."""
    figures = [{"figure": kind} for kind in KINDS]
    grid = {"problem": "neural", "noise": ["none", "diagonal"], "method": ["torch/floor", "jax/adjoint"], "steps": 8}
    tables = ["speedups", "orders", "exponents", "exactness"]
    suite = {"name": "toy", "title": "Toys", "grid": [grid], "report": figures, "tables": tables}
    opened = session.open_run(session.plan(session.resolve(session.read(suite))), results=tmp_path)
    fake = FakeExecutor(lambda _: (status, "why"), interrupt_after=None if status else 0)
    page = session.report(session.execute(opened, executor=fake), tmp_path).read_text()
    assert "could not be" not in page


def test_the_old_page_stays_where_the_new_one_fails(folder: Path):
    """A disk that is full while the page is written."""
    assert command(folder, "run", "toy.yaml").returncode == 0
    before = (folder / "report/toy.html").read_text()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", full)
        done = command(folder, "report", "toy")
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert (folder / "report/toy.html").read_text() == before
    assert sorted(path.name for path in (folder / "report").iterdir()) == ["index.html", "toy.html"]


@pytest.mark.parametrize("raised", [ZeroDivisionError("odd"), SystemExit(0), RecursionError("deep")])
def test_a_section_that_fails_is_said_in_its_place(
    folder: Path, monkeypatch: pytest.MonkeyPatch, raised: BaseException
):
    def fail(*_: object) -> str:
        raise raised

    assert command(folder, "run", "toy.yaml", "--report", "before").returncode == 0
    monkeypatch.setattr(Environment, "html", fail)
    assert command(folder, "report", "toy").returncode == 0
    assert f"{type(raised).__name__}: {raised}" in (folder / "report/toy.html").read_text()
