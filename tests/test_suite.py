"""Suites: what is right is read, what is wrong is said in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import command

from harness.errors import InputError
from harness.suite import Budget, Grid, parse_suite

GOOD = """
name: tiny
title: A question?
grid:
  - problem: neural
    noise: diagonal
    method: torch/backprop
"""

# What is wrong, the text, and what the message must hold.
WRONG = [
    ("unknown key", GOOD + "gird: 1\n", ["gird", "unknown key", "did you mean 'grid'"]),
    ("unknown key in grid", GOOD + "    stepz: 3\n", ["grid.0.stepz", "unknown key", "steps"]),
    (
        "misspelt required key",
        GOOD.replace("noise:", "nois:"),
        ["grid.0.nois:", "unknown key", "did you mean 'noise'"],
    ),
    ("wrong type", GOOD + "    steps: many\n", ["grid.0.steps", "'many'", "integer"]),
    (
        "unknown method",
        GOOD.replace("torch/backprop", "torch/backprob"),
        ["grid.0.method", "torch/backprob", "torch/backprop"],
    ),
    ("unknown noise", GOOD.replace("diagonal", "diag"), ["grid.0.noise", "'diag'", "additive"]),
    ("unknown problem", GOOD.replace("neural", "neurall"), ["grid.0.problem", "neurall", "neural"]),
    (
        "unknown problem parameter",
        GOOD.replace("neural", "neural(widht=3)"),
        ["grid.0.problem", "widht", "width"],
    ),
    ("unknown scheme", GOOD + "    scheme: hoin\n", ["grid.0.scheme", "hoin", "heun"]),
    ("empty grid", GOOD.partition("grid")[0] + "grid: []\n", ["grid", "is empty"]),
    ("empty axis", GOOD + "    steps: []\n", ["grid.0.steps", "is empty"]),
    ("negative steps", GOOD + "    steps: -4\n", ["grid.0.steps", "-4", "from 1 to"]),
    ("not YAML", "name: [tiny\n", ["line", "isn't valid YAML"]),
    ("not a suite", "- just\n- a list\n", ["isn't a suite"]),
    ("missing key", "name: tiny\ntitle: A question?\n", ["grid", "is missing"]),
    ("duplicate key", GOOD + "name: again\n", ["line", "'name'", "twice"]),
    ("plugin that raises", GOOD + "plugins: [broken.py]\n", ["broken.py", "plugins", "ZeroDivisionError"]),
    ("plugin that isn't there", GOOD + "plugins: [absent.py]\n", ["absent.py", "plugins", "no such file"]),
    ("plugin without a method", GOOD + "plugins: [empty.py]\n", ["empty.py", "no gradient method"]),
    ("a kind of figure", GOOD + "report: [{figure: pie}]\n", ["report.0.figure", "'pie'", "scaling"]),
    ("no kind of figure", GOOD + "report: [{x: steps}]\n", ["report.0.figure", "is missing", "scaling"]),
    (
        "an option of another figure",
        GOOD + "report: [{figure: speedups, x: steps}]\n",
        ["report.0.x", "speedups has no such option", "where"],
    ),
    ("an x that points has not", GOOD + "report: [{figure: points, x: steps}]\n", ["report.0.x", "'steps'", "method"]),
    ("a box of one number", GOOD + "report: [{figure: box, y: peak_bytes}]\n", ["report.0.y", "seconds_median"]),
    ("a facet that is no axis", GOOD + "report: [{figure: box, facet: rain}]\n", ["report.0.facet", "'rain'", "noise"]),
    ("boolean noise", GOOD.replace("diagonal", "no"), ["grid.0.noise", "False", "none"]),
]


@pytest.mark.parametrize(("text", "words"), [pytest.param(t, w, id=i) for i, t, w in WRONG])
def test_wrong_suites_are_explained_in_one_line(tmp_path: Path, text: str, words: list[str]):
    path = tmp_path / "suite.yaml"
    path.write_text(text)
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "empty.py").write_text("x = 1\n")
    found = command(tmp_path, "run", str(path), "--dry-run")
    assert found.returncode == 2, found.stderr
    assert found.stderr.count("\n") == 1
    assert "Traceback" not in found.stderr
    for word in ["error:", *words]:
        assert word in found.stderr
    assert not found.stdout


@pytest.mark.parametrize("name", ["absent.yaml", "."])
def test_a_missing_file_is_explained(tmp_path: Path, name: str):
    found = command(tmp_path, "run", name)
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1


def test_defaults():
    suite = parse_suite(GOOD, Path("tiny.yaml"))
    (grid,) = suite.grid
    assert grid == Grid(problem=("neural",), noise=("diagonal",), method=("torch/backprop",))
    assert (grid.dtype, grid.device, grid.threads, grid.brownian) == (("float32",), ("cpu",), (1,), ("own",))
    assert suite.budget == Budget()


def test_memory_is_read_with_its_unit():
    suite = parse_suite(GOOD + "budget: {memory: 2GiB}\n", Path("tiny.yaml"))
    assert suite.budget.memory == 2 * 2**30


def test_plugin_files_are_relative_to_the_suite():
    suite = parse_suite(GOOD + "plugins: [mine.py, some.module]\n", Path("folder/tiny.yaml"))
    assert suite.plugins == (str(Path("folder/mine.py").absolute()), "some.module")


def test_unreadable_text_is_refused(tmp_path: Path):
    from harness.suite import read_suite

    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        read_suite(path)
