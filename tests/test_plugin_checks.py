"""A plugin's class that is wrong is one line: the file, the class and the attribute."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import InputError
from harness.machine import Machine
from harness.plan import make_plan
from harness.registry import Registry
from harness.suite import parse_suite

METHOD = """
from harness import AbstractGradientMethod

class Mine(AbstractGradientMethod):
    name = "mine/best"
    framework = "numpy"
    summary = "mine"

    def unsupported(self, case):
        return None

    def build(self, problem, scheme, case, path):
        raise NotImplementedError
"""
PROBLEM = """
from dataclasses import dataclass
from harness import AbstractProblem

@dataclass(frozen=True, kw_only=True)
class Mine(AbstractProblem):
    mu: float
    name = "mine"

    def initial(self, normals, batch): ...
    def parameters(self, normals): ...
    def drift(self, xp, t, y, theta): ...
    def diffusion(self, xp, t, y, theta): ...
    def loss(self, xp, ys): ...
"""
SUITE = """
name: mine
title: Mine
grid: [{problem: neural, noise: diagonal, method: mine/best, dim: 2, batch: 2, steps: 4}]
"""


def load(folder: Path, text: str) -> Registry:
    path = folder / "mine.py"
    path.write_text(text)
    return Registry.load((str(path),))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "mine/best"', "", "Mine.name: is missing"),
        ('"mine/best"', "5", "Mine.name: is 5; needed: backend/approach"),
        ('"mine/best"', '"mine"', "Mine.name: is 'mine'"),
        ('"mine/best"', '"mine/\\ud800"', "Mine.name: is"),
        ('"mine/best"', '"mine/[/bold]"', "Mine.name: is"),
        ('framework = "numpy"', "", "Mine.framework: is missing; needed: one of torch, jax, numpy"),
        ('"numpy"', '"mxnet"', "Mine.framework: is 'mxnet'"),
        ('summary = "mine"', "", "Mine.summary: is missing"),
        ('summary = "mine"', 'summary = "two\\nlines"', "Mine.summary: is"),
        ('summary = "mine"', 'summary = "mine"; default_schemes = 5', "Mine.default_schemes: is 5"),
        ('summary = "mine"', 'summary = "mine"; samplers = None', "Mine.samplers: is missing"),
        (
            'summary = "mine"',
            'summary = "mine"; step_seconds = "long"',
            "Mine.step_seconds: is 'long'; needed: a number",
        ),
        (
            'summary = "mine"',
            'summary = "mine"; __init__ = lambda self: 1 / 0',
            "Mine: can't be loaded: ZeroDivisionError",
        ),
    ],
)
def test_a_class_is_checked_when_it_is_registered(tmp_path, old, new, words):
    assert old in METHOD
    with pytest.raises(InputError) as error:
        load(tmp_path, METHOD.replace(old, new))
    assert str(error.value).startswith(f"{tmp_path / 'mine.py'}: {words}")
    assert "\n" not in str(error.value)


def test_a_field_of_a_problem_needs_a_default(tmp_path):
    with pytest.raises(InputError, match=r"Mine.mu: has no default"):
        load(tmp_path, PROBLEM)
    assert "mine" in load(tmp_path, PROBLEM.replace("mu: float", "mu: float = 1.0")).problems


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("raise KeyError('x')", "Mine: unsupported: raised KeyError: 'x'"),
        ("import sys; sys.exit(0)", "Mine: unsupported: raised SystemExit: 0"),
        ("return True", "Mine: unsupported: returned True; needed: a sentence, or None"),
    ],
)
def test_what_a_method_answers_is_checked(tmp_path, what, words):
    registry, path = load(tmp_path, METHOD.replace("return None", what)), tmp_path / "mine.yaml"
    with pytest.raises(InputError, match=words):
        make_plan(parse_suite(SUITE, path), path, registry, Machine(1))


def test_what_a_plugin_prints_is_no_output_of_a_command(tmp_path, capsys):
    load(tmp_path, f"print('hello')\n{METHOD}")
    found = capsys.readouterr()
    assert (found.out, found.err) == ("", "hello\n")
