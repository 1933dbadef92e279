"""Suites by name, and runs by the name of their suite."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import command

from harness import session
from harness.errors import InputError
from harness.shipped import shipped_suites, suite_file
from harness.store import new_run, open_run

ROOT = Path(__file__).parents[1]


def test_suites_are_found_by_name_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert session.read("memory").suite.name == "memory"
    assert shipped_suites().keys() == {path.stem for path in (ROOT / "suites").glob("*.yaml")}
    with pytest.raises(InputError, match="list suites"):
        session.read("nonsense")


def test_a_file_goes_before_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("memory").write_text("name: mine")
    assert suite_file(Path("memory")) == Path("memory")


def test_a_suite_stands_for_its_newest_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = Path("results")
    for _ in range(2):
        run = new_run(results, "tiny")
        run.add_execution("tiny", {})
    assert open_run(Path("tiny")).id == open_run(results / "tiny").id == run.id
    assert open_run(run.folder / "run.json").folder == run.folder


def test_the_version_is_printed(tmp_path):
    done = command(tmp_path, "--version")
    assert done.returncode == 0
    assert done.stdout.startswith("gradient-harness ")
