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
        ('summary = "mine"', 'summary = "mine"; exact = "yes"', "Mine.exact: is 'yes'; needed: True or False"),
        ('summary = "mine"', 'summary = "mine"; default_schemes = ()', "Mine.default_schemes: is ()"),
        ("def build", "def biuld", "Mine: lacks build; a base of others"),
        ("class Mine", "raise GeneratorExit\nclass Mine", "can't be loaded: GeneratorExit"),
        (
            "class Mine",
            "class Silent(Exception):\n    __str__ = lambda self: 1 / 0\nraise Silent\nclass Mine",
            "can't be loaded: Silent: reading its message raises ZeroDivisionError",
        ),
        (
            'summary = "mine"',
            "summary = type('Odd', (), {'__repr__': lambda self: 1 / 0})()",
            "Mine.summary: is an object of Odd",
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


OPTION = """from dataclasses import dataclass, field
@dataclass(frozen=True, kw_only=True)
class Mine(AbstractGradientMethod):
"""


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("rank: int", "has no default"),
        ("rank: list = field(default_factory=list)", "has no default"),
        ("rank: object = object()", "has the default <object object"),
        ("rank: float = float('nan')", "has the default nan"),
        ("rank: int = 10**5000", "has the default an integer of about 5000 digits"),
        ("rank: tuple = (1, 2)", "has the default (1, 2); needed: a number, a line of text"),
    ],
)
def test_an_option_needs_a_default_that_a_suite_can_write(tmp_path, option, words):
    text = METHOD.replace("class Mine(AbstractGradientMethod):\n", f"{OPTION}    {option}\n")
    with pytest.raises(InputError) as error:
        load(tmp_path, text)
    assert f"Mine.rank: {words}" in str(error.value)


SCHEME = """
from harness import AbstractScheme
from harness.scheme import Orders

class Mine(AbstractScheme):
    name = "mine"
    summary = "mine"
    calculi = ("ito",)
    evaluations = 1

    def init(self, terms, t0, y0): ...
    def step(self, terms, t0, dt, state, dW): ...
"""
BACKEND = """
from harness import AbstractBackend, Style

class Theirs(AbstractBackend):
    name = "theirs"
    framework = "torch"
    summary = "theirs"
"""
DECLARED = [
    (SCHEME, "evaluations = 0", "Mine.evaluations: is 0"),
    (SCHEME, "noises = ('loud',)", "Mine.noises: is ('loud',); needed: a tuple of some of none, additive"),
    (SCHEME, "orders = Orders(none='two')", "Mine.orders: is Orders(none='two'"),
    (SCHEME, "reversible = None", "Mine.reversible: is missing; needed: True or False"),
    (SCHEME, "work = lambda self, noise: 1.0", "Mine.work: returned 1.0 for noise none; needed: two numbers"),
    (SCHEME, "work = lambda self, noise: {}[noise]", "Mine: can't be loaded: KeyError: 'none'"),
    (BACKEND, "packages = ('',)", "Theirs.packages: is ('',)"),
    (BACKEND, "floor = ['torch/floor']", "Theirs.floor: is ['torch/floor']"),
    (BACKEND, "comparable = {'best': 'torch/backprop'}", "Theirs.comparable: is {'best': 'torch/backprop'}"),
    (BACKEND, "schemes = {'none': {1: 2}}", "Theirs.schemes: is {'none': {1: 2}}"),
    (BACKEND, "style = Style(marker=5)", "Theirs.style: is Style(marker=5"),
    (BACKEND, "pairs = lambda self: [('a',)]", "Theirs.pairs: returned [('a',)]; needed: a tuple of pairs"),
    (BACKEND, "pairs = lambda self: 1 / 0", "Theirs: can't be loaded: ZeroDivisionError"),
]


@pytest.mark.parametrize(("text", "line", "words"), DECLARED, ids=[line for _, line, _ in DECLARED])
def test_what_a_scheme_or_a_backend_declares_is_checked(tmp_path, text, line, words):
    load(tmp_path, text)
    with pytest.raises(InputError) as error:
        load(tmp_path, f"{text}    {line}\n")
    assert str(error.value).startswith(f"{tmp_path / 'mine.py'}: {words}")


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
