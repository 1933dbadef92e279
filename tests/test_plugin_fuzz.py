"""Whatever a plugin's classes hold, they are listed and planned, or refused in one line."""

from __future__ import annotations

import dataclasses
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from commands import Done, command
from fuzzing import FULL, fuzz, time_limit
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import LONGEST_MESSAGE
from harness.registry import Registry

HEAD = """
import dataclasses, functools, math, sys
from dataclasses import dataclass, field
import numpy as np
from harness import (
    AbstractBackend, AbstractGradientMethod, AbstractProblem, AbstractScheme, AbstractSection,
    AbstractTorchLibraryMethod, Gradient, Style, UnsupportedError,
)
from harness.scheme import AbstractReversibleScheme, Orders

def deep():
    return deep()

class Odd:
    def __getattr__(self, name): raise KeyError(name)
    def __repr__(self): raise ValueError("no text")
    def __eq__(self, other): raise TypeError("nothing equals it")
    def __bool__(self): raise ZeroDivisionError("neither true nor false")
    __hash__ = None

class Long:
    def __repr__(self): return "x" * 10**6
"""
DECORATED = {
    **dict.fromkeys(("commutative(self)", "additive(self)"), "@property"),
    "unsupported(noise, calculus)": "@staticmethod",
}


@dataclass
class Definition:
    """A class as source: what stands above it, its bases, its attributes and its methods by their signatures."""

    title: str
    base: str
    attributes: dict[str, str]
    methods: dict[str, str]
    decorator: str = ""
    fields: dict[str, str] = field(default_factory=dict[str, str])

    def source(self) -> str:
        """The class as Python has it."""
        lines = [f"{name} = {value}" for name, value in self.attributes.items()]
        lines += [f"{name}{annotated}" for name, annotated in self.fields.items()]
        for signature, body in self.methods.items():
            decorated = f"{DECORATED[signature]}\n    " if signature in DECORATED else ""
            lines.append(f"{decorated}def {signature}:\n        {body}")
        inner = "\n    ".join(lines or ["pass"])
        return f"{self.decorator}\nclass {self.title}({self.base}):\n    {inner}\n"


GOOD = {
    "method": Definition(
        "Mine",
        "AbstractGradientMethod",
        {"name": "'mine/best'", "framework": "'numpy'", "summary": "'mine'", "exact": "True"}
        | {"default_schemes": "('heun', 'euler')", "baseline": "False", "samplers": "('own', 'shared')"}
        | {"steppings": "('fixed',)", "path_at_any_time": "False", "takes_models": "False", "step_seconds": "1e-3"},
        {
            "unsuited(self, scheme)": "return None",
            "unsupported(self, case)": "return None",
            "build(self, problem, scheme, case, path)": "return lambda: Gradient(1.0, {}, 0)",
            "__post_init__(self)": "pass",
        },
        "@dataclass(frozen=True, kw_only=True)",
        {"rank": ": int = 2", "kind": ": str = 'a'"},
    ),
    "problem": Definition(
        "Mine",
        "AbstractProblem",
        {"name": "'mine'", "t1": "2.0"},
        {
            "initial(self, normals, batch)": "return normals(batch, self.dim)",
            "parameters(self, normals)": "return {'a': normals(self.dim)}",
            "drift(self, xp, t, y, theta)": "return -y * theta['a']",
            "diffusion(self, xp, t, y, theta)": "return 0 * y + 0.1",
            "loss(self, xp, ys)": "return (ys[-1] ** 2).mean()",
            "unsuited(self, method)": "return None",
            "refusal(self, method, case)": "return method.unsupported(case)",
            "unsupported(noise, calculus)": "return None",
            "commutative(self)": "return True",
            "additive(self)": "return False",
            "order_note(self, scheme)": "return ''",
        },
        "@dataclass(frozen=True, kw_only=True)",
        {"mu": ": float = 1.0"},
    ),
    "scheme": Definition(
        "Mine",
        "AbstractScheme",
        {"name": "'mine'", "summary": "'mine'", "calculi": "('stratonovich',)", "evaluations": "2"}
        | {"noises": "('none', 'diagonal')", "evaluations_of_g": "None", "orders": "Orders(none=2, additive=1)"}
        | {"order_note": "''", "needs_levy_area": "False", "needs_commutative": "False", "reversible": "False"},
        {
            "init(self, terms, t0, y0)": "return (y0,)",
            "step(self, terms, t0, dt, state, dW)": "return state",
            "unsupported(self, problem)": "return None",
            "work(self, noise)": "return 2, 2",
            "order(self, problem)": "return 1.0",
        },
    ),
    "backend": Definition(
        "Theirs",
        "AbstractBackend",
        {"name": "'mine'", "framework": "'torch'", "summary": "'mine'", "homepage": "''", "packages": "('numpy',)"}
        | {"module": "''", "native": "False", "compiled": "False", "building_seconds_cpu": "0.1", "floor": "None"}
        | {"building_seconds_cuda": "0.1", "comparable": "{'best': ('torch/backprop',)}", "refused": "{}"}
        | {"schemes": "{'none': {'heun': 'Heun'}, 'stratonovich': {'euler': 'E'}}", "style": "Style()"},
        {
            "calculus(self, case)": "return 'none' if case.noise == 'none' else case.calculus",
            "unsupported(self, case)": "return None",
            "pairs(self)": "return (('torch/backprop', 'mine/best'),)",
        },
    ),
    "section": Definition(
        "Mine",
        "AbstractSection",
        {"name": "'mine'", "title": "'Mine'", "order": "15"},
        {"html(self, measurements)": "return '<p>mine</p>'"},
    ),
}
LIBRARY_METHOD = """
class Best(AbstractTorchLibraryMethod):
    name = "mine/best"
    summary = "mine"
    backend = Theirs()
    def solver(self, of, path): return lambda: None
"""
VALUES = """
None; True; False; 0; -1; 5; 1.5; 1e400; -1e400; float('nan'); 10**5000; 1j; b'x'; ''; ' '; 'x'; 'a/b';
'torch/backprop'; 'mine'; 'mine/best'; 'x' * 10000; 'a\\nb'; '\\x1b[2J'; '\\ud800'; '\\u202e'; '[/bold]'; '<b>';
'../x'; 'a(b=1)'; 'é/é'; (); []; {}; set(); (1,); (None,); ('heun',); ('nowhere',); ['heun']; 'heun'; {'a': 1};
{1: ()}; {'best': 'torch/backprop'}; {'best': ('nowhere/x',)}; {'best': (1,)}; {'none': 5}; {'none': {}};
{'none': {1: 2}}; {'heun': 5}; object(); Odd(); Long(); Odd; ...; NotImplemented; len; lambda *_: None;
lambda *_, **__: 1 / 0; property(lambda self: 1 / 0); property(lambda self: 'x'); classmethod(lambda cls: 'x');
functools.partial(len); np.float32(1); np.array([1, 2]); np.array(5); Orders(); Orders(none='x');
Orders(none=float('nan')); Style(marker=5); Style(dashes=('x',)); field(default=1); dataclasses.MISSING; type;
int; range(3); (x for x in 'ab'); 'stratonovich'; ('ito', 'ito'); ('loud',); ('tree',); ('adaptive',); ('own', 5);
10**30; 2**63; '1'
""".replace("\n", " ")
ODD_VALUES = [value.strip() for value in VALUES.split(";")]
BODIES = [
    *(f"return {value}" for value in ODD_VALUES),
    *("raise KeyError('x')", "raise ValueError('no')", "raise UnsupportedError('no')", "sys.exit(0)", "return deep()"),
    *("raise Exception('a\\nb' * 1000)", "raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})()", "yield 1"),
    *("assert False", "raise StopIteration", "raise MemoryError", "print('said')", "raise SystemExit('x')", "raise 5"),
    *("raise BaseException('x')", "raise GeneratorExit", "return self", "return [self]", "del self"),
]
BASES = ["AbstractGradientMethod", "AbstractProblem", "AbstractScheme", "AbstractBackend", "AbstractSection", "object"]
BASES += ["AbstractReversibleScheme", "AbstractTorchLibraryMethod", "AbstractScheme, AbstractSection", "int", "dict"]
DECORATORS = ["", "@dataclass", "@dataclass(frozen=True)", "@dataclass(frozen=True, kw_only=True)", "@functools.cache"]
DECORATORS += [
    "@dataclass(frozen=True, kw_only=True, slots=True)",
    "@dataclass(eq=False)",
    "@lambda cls: 5",
    "@property",
]
ANNOTATED = [
    ": int",
    ": int = None",
    ": 'Nowhere' = 1",
    ": list = []",
    ": float = 'x'",
    ": object = Odd()",
    " = 5",
    ": 5",
]
ANNOTATED += [": int | None = None", ": bool = True", ": str = 'a, b'", ": float = float('nan')", ": int = 10**5000"]
ANNOTATED += [": dict = field(default_factory=dict)", ": int = field(init=False)", ": int = Long()", ": int = 1; x = y"]
NAMES = [
    "noise",
    "calculus",
    "dim",
    "values",
    "t0",
    "self",
    "name",
    "class",
    "rank",
    "mu",
    "é",
    "_x",
    "__x",
    "framework",
]


@st.composite
def definitions(draw: st.DrawFn) -> tuple[str, str]:
    """The kind of a plugin, and its text: a good class with one to three changes."""
    kind = draw(st.sampled_from(sorted(GOOD)))
    good = GOOD[kind]
    made = dataclasses.replace(
        good, attributes=dict(good.attributes), methods=dict(good.methods), fields=dict(good.fields)
    )
    for _ in range(draw(st.integers(1, 3))):
        _change(draw, made)
    text = HEAD + made.source() + (LIBRARY_METHOD if kind == "backend" else "")
    if draw(st.integers(0, 9)) == 0:  # as a whole
        text = draw(st.sampled_from([text + "\n1 / 0", text + "\nsys.exit(0)", text[: len(text) // 2], text + "\n\0"]))
    return kind, text


def _change(draw: st.DrawFn, made: Definition) -> None:
    often = ["value"] * 6 + ["body"] * 6 + ["field"] * 3
    change = draw(st.sampled_from([*often, "drop", "undo", "base", "decorator"]))
    attribute = draw(st.sampled_from(sorted(made.attributes) or ["name"]))
    method = draw(st.sampled_from(sorted(made.methods) or ["unsupported(self, case)"]))
    if change == "value":
        made.attributes[attribute] = draw(st.sampled_from(ODD_VALUES))
    elif change == "drop":
        made.attributes.pop(attribute, None)
    elif change == "body":
        made.methods[method] = draw(st.sampled_from(BODIES))
    elif change == "undo":
        made.methods.pop(method, None)
    elif change == "field":
        made.fields[draw(st.sampled_from(NAMES))] = draw(st.sampled_from(ANNOTATED))
    elif change == "base":
        made.base = draw(st.sampled_from(BASES))
    else:
        made.decorator = draw(st.sampled_from(DECORATORS))


SUITES = {
    "method": {
        "problem": "neural",
        "noise": ["none", "diagonal"],
        "method": "mine/*",
        "stepping": ["fixed", "adaptive"],
    },
    "problem": {"problem": "mine", "noise": ["none", "diagonal"], "method": ["torch/backprop", "jax/floor"]},
    "scheme": {"problem": "neural", "noise": ["none", "diagonal"], "method": "torch/*", "scheme": "mine"},
    "backend": {"problem": "neural", "noise": ["none", "diagonal"], "method": ["mine/*", "torch/floor"]},
    "section": {"problem": "neural", "noise": "none", "method": "torch/floor"},
}
LISTS = {"method": "methods", "problem": "problems", "scheme": "schemes", "backend": "backends", "section": "sections"}

FORMS: list[tuple[str, ...]] = [(), ("--json",), ("--markdown",)]


@fuzz(usual=25, full=200)
@given(made=definitions(), form=st.sampled_from(FORMS))
def test_a_plugin_is_listed_and_planned_or_refused(folder: Path, made: tuple[str, str], form: tuple[str, ...]):
    kind, text = made
    (folder / "mine.py").write_text(text)
    suite = {"name": "mine", "title": "Mine", "plugins": ["mine.py"], "measure": ["time"]}
    (folder / "mine.yaml").write_text(json.dumps(suite | {"grid": [SUITES[kind] | {"dim": 2, "steps": 4}]}))
    for options in FORMS if FULL else [form]:
        check(command_in(folder, "list", LISTS[kind], "--plugin", "mine.py", *options))
    if kind != "problem" or FULL:  # a problem is tried in a child, whose start takes seconds
        check(command_in(folder, "run", "mine.yaml", "--dry-run"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all plugins are written."""
    return tmp_path_factory.mktemp("plugins")


def command_in(folder: Path, *arguments: str) -> Done:
    """A command whose plugin is read anew."""
    with time_limit():
        done = command(folder, *arguments)
    sys.modules.pop("harness_plugin_mine", None)
    return done


def check(done: Done) -> None:
    """It succeeds, or says what is wrong in one printable line, after what the plugin itself has printed."""
    assert done.returncode in (0, 2)
    said = done.stderr.removeprefix("importing mine.py\n")
    said = said.removeprefix("said\n" * said.count("said\n"))
    assert "Traceback" not in said
    if done.returncode == 2:
        assert done.stdout == ""
        assert said.startswith("error: ")
        assert said.endswith("\n")
        assert said[:-1].isprintable()
        assert len(said) < LONGEST_MESSAGE + 300
    else:
        assert said == ""


@pytest.mark.parametrize("kind", GOOD)
def test_what_is_changed_is_good_before(folder: Path, kind: str):
    (folder / "mine.py").write_text(HEAD + GOOD[kind].source() + (LIBRARY_METHOD if kind == "backend" else ""))
    Registry.load((str(folder / "mine.py"),))
    done = command_in(folder, "list", LISTS[kind], "--plugin", "mine.py")
    assert done.returncode == 0, done.stderr
    assert "mine" in done.stdout
