"""Where a command was started decides where results land, and nothing else does."""

from __future__ import annotations

from pathlib import Path

from commands import command
from faults.toys import PLUGIN, newest, write_suite


def test_a_suite_with_a_plugin_is_measured_from_another_folder(tmp_path: Path):
    """The table of orders asks the plugin again, when the page is written."""
    suites, elsewhere = tmp_path / "suites", tmp_path / "elsewhere"
    suites.mkdir()
    elsewhere.mkdir()
    write_suite(suites, steps="[4, 8]", measure="[time, error]", more="tables: [orders]\n")
    done = command(elsewhere, "run", "../suites/toy.yaml")
    assert done.returncode == 0, done.stderr
    assert "no such file" not in (elsewhere / "report/toy.html").read_text()  # the plugin was found
    assert command(tmp_path, "report", "elsewhere/results/toy").returncode == 0
    assert (tmp_path / "report/toy.html").is_file()


def test_a_plugin_that_changes_the_folder_moves_nothing(tmp_path: Path):
    write_suite(tmp_path)
    (tmp_path / "away").mkdir()
    (tmp_path / "toys.py").write_text(f"{PLUGIN}\nos.chdir({str(tmp_path / 'away')!r})\n")
    done = command(tmp_path, "run", "toy.yaml")
    assert done.returncode == 0, done.stderr
    assert set(newest(tmp_path)) == {"good"}
    assert (tmp_path / "report/toy.html").is_file()
    assert not any((tmp_path / "away").iterdir())
    assert command(tmp_path, "run", "toy.yaml", "--resume").returncode == 0
