"""Whatever a suite's file holds, the command line plans it or refuses it in one line."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from fuzzing import fuzz, time_limit
from hypothesis import given
from hypothesis import strategies as st

from harness.cli import main
from harness.errors import LONGEST_MESSAGE
from harness.limits import LARGEST_COUNT, LARGEST_SEED, LONGEST_NAME, MOST_CASES
from harness.strict_yaml import DEEPEST, LONGEST_SCALAR, LONGEST_TEXT, MOST_VALUES

SUITES = Path(__file__).parents[1] / "suites"
MOST_OUTPUT = 2**20
"""Characters of a dry run. The project's longest takes 300,000."""


@dataclass(frozen=True)
class Outcome:
    """What the command printed, and its exit code."""

    code: object
    out: str
    err: str


def dry_run(folder: Path, text: str | bytes) -> Outcome:
    """What a dry run of such a suite does."""
    return command_line(folder, text, "--dry-run")


def command_line(folder: Path, text: str | bytes, *options: str) -> Outcome:
    """The real command line, in this process."""
    path = folder / "suite.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    given, sys.argv = sys.argv, ["harness", "run", str(path), *options]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), time_limit():
            main()
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.argv = given
    return Outcome(code, out.getvalue(), err.getvalue())


def check(outcome: Outcome, folder: Path) -> None:
    """A plan of bounded length, or one line of bounded length that names the file, after one of what is imported."""
    imports, said = outcome.err.splitlines(keepends=True), outcome.err
    if imports and imports[0].startswith("importing "):
        said = "".join(imports[1:])
    assert len(outcome.out) <= MOST_OUTPUT
    assert all(line.isprintable() for line in outcome.out.split("\n"))
    if outcome.code == 0:
        assert said == ""
        assert " cases in " in outcome.out.splitlines()[-1]
        return
    assert outcome.code == 2
    assert outcome.out == ""
    start = f"error: {folder / 'suite.yaml'}: "
    assert said.startswith(start)
    assert said.endswith("\n")
    assert said[:-1].isprintable()  # so it is one line, too
    assert len(said) <= len(start) + LONGEST_MESSAGE + 1


@dataclass
class Pairs:
    """A mapping of YAML, which may hold a key twice, or a list as a key."""

    pairs: list[tuple[Any, Any]]


Tree = str | list[Any] | Pairs
"""YAML text as a tree. A scalar is the text as it is written, so that a mutation can write anything."""


def tree_of(value: Any) -> Tree:
    """What PyYAML read."""
    if isinstance(value, dict):
        return Pairs([(tree_of(key), tree_of(item)) for key, item in value.items()])
    if isinstance(value, list):
        return [tree_of(item) for item in value]
    return json.dumps(value)


def write(tree: Tree) -> str:
    """In flow style."""
    if isinstance(tree, Pairs):
        return "{" + ", ".join(f"? {write(key)} : {write(item)}" for key, item in tree.pairs) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(write, tree)) + "]"
    return tree


SMALL = {
    "name": "tiny",
    "title": "A question?",
    "seed": 1,
    "grid": [
        {
            "problem": ["neural(width=4)", "example1"],
            "noise": ["none", "diagonal"],
            "calculus": "ito",
            "scheme": ["euler", "milstein"],
            "method": ["torch/*", "jax/backprop"],
            "dim": 2,
            "batch": [1, 4],
            "steps": [8, 16],
            "observations": 2,
            "threads": 1,
            "brownian": ["own", "tree"],
            "stepping": ["fixed", "adaptive"],
            "rtol": 0,
            "atol": [0.1, 0.001],
        }
    ],
    "measure": ["time", "error"],
    "budget": {
        "rounds": 2,
        "seconds": 1.5,
        "precision": 0.1,
        "timeout": 60,
        "memory": "2GiB",
        "replicates": 2,
        "reference_steps": 1024,
    },
    "report": [{"figure": "scaling", "x": "atol", "y": "peak_bytes", "where": {"dim": 2, "method": "jax/backprop"}}],
    "tables": ["orders"],
    "plugins": [],
}
NAMES = ("quick", "paper", "noise", "steps")
TEXTS = [(SUITES / f"{name}.yaml").read_text() for name in NAMES]
TREES = [tree_of(SMALL), *(tree_of(yaml.safe_load(text)) for text in TEXTS)]


def words(text: str) -> list[str]:
    """Scalars that hold no space."""
    return text.split()


NINES = "9" * 400
BOMB = "[&a0 [x, x, x, x], " + ", ".join(f"&a{n} [{', '.join(f'*a{n - 1}' for _ in range(9))}]" for n in range(1, 12))
MERGES = "{m0: &m0 {x: 1}, " + ", ".join(f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}" for n in range(1, 12))
NUMBERS = words("""
0 -1 1 1_000 0x10 010 0b_ 0x_ 1:30 1e3 1e-3 1e400 1.0e+400 1e-400 -0.0 0.9999999999999999 .inf -.inf .nan inf nan
67108864 67108865 4294967296 18446744073709551616
""")
LONG = [
    *(NINES, f"-{NINES}", "9" * 5001, "0x" + "f" * 5000, str(10**40), "1:" * 4000 + "1", "1:" * 400 + "1.5"),
    *("x" * 9000, "x" * 11000, '"' + "*a" * 2000 + '"', "[" * 30 + "]" * 30, "[" * 900 + "]" * 900),
    *("{a: " * 60 + "1" + "}" * 60, BOMB + "]", MERGES + "}", str(list(range(1000))), str([1] * 12000)),
    *(f'"neural(width={NINES})"', f'"neural(width={"9" * 5001})"', f'"van-der-pol(mu={NINES})"'),
]
WORDS = words(r"""
true false null ~ no = << diagonal tree adaptive cuda float64 rk4 time neural 8GiB 1e999GB -1GiB 2020-01-01 2020-13-45
"" "\0" "\e[31m" "\uD800" "\u202E" "\u2028" "\N" "\UFFFFFFFF" "[/bold]" "a\nb" "[" "[]" "[!" "*" "z*" ü½θ *absent &a ?
[] {} [[]] [[1,2],[3]] [1,a,null] {?} &r[*r]
"neural(width=[1,2])" "neural(width=-1)" "neural(width=1e400)" "neural(width=)" "neural((" "()" "neural(width=&a)"
"neural(width=2020-13-45)" "neural(width=1,width=2)" "neural(=)" "neural(noise=none)" "neural(width=true)" "neural(\n)"
"van-der-pol(mu=.inf)" "van-der-pol(mu=1e3)" "van-der-pol(mu=.nan)"
""")
LINES = """
2020-01-01 25:61:61
{a: 1}
{1: 2}
{? [a] : b}
{? {a: b} : c}
{a: 1, a: 2}
&r [*r]
&q {a: *q}
{<<: {a: 1}}
{<<: 5}
{<<: [{rtol: 1}, {rtol: 2}]}
!!int x
!!float x
!!bool x
!!timestamp x
!!binary x
!!null x
!!set {a, b}
!!omap [a: 1]
!!str 1
!!int '7'
!!python/object:os.system x
!own x
!!map [x]
!!seq {a: b}
!!int {=: x}
""".strip().splitlines()
ODD = ["", *NUMBERS, *LONG, *WORDS, *LINES]
KEYS = words('budget(s) x[0] [1] 1 null no << "" "\\e" {a:b} 2020-13-45 name grid problem steps rtol memory where')
KEYS += ["? [a]", "!!int 3", "x" * 3000, NINES]
SYNTAX = ["\n", "  ", "\t", ": ", "- ", "#", "'", '"', "&a ", "*a", "|", ">", "---\n", "%", "\r"]
odd_scalars = st.one_of(
    st.sampled_from(ODD), st.integers().map(str), st.floats().map(repr), st.text(max_size=20).map(json.dumps)
)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Lists and mappings of trees."""
    return st.lists(inner, max_size=4) | st.builds(Pairs, st.lists(st.tuples(st.sampled_from(KEYS), inner), max_size=3))


odd_trees = st.recursive(odd_scalars, containers, max_leaves=4)


def places(tree: Tree) -> list[tuple[list[Any], int]]:
    """Every list of children with every index of it."""
    children = tree.pairs if isinstance(tree, Pairs) else tree if isinstance(tree, list) else []
    found: list[tuple[list[Any], int]] = [(children, index) for index in range(len(children))]
    for child in children:
        found += places(child[1] if isinstance(child, tuple) else child)
    return found


def copied(tree: Tree) -> Tree:
    """With lists of its own."""
    if isinstance(tree, Pairs):
        return Pairs([(key, copied(item)) for key, item in tree.pairs])
    return [copied(item) for item in tree] if isinstance(tree, list) else tree


@st.composite
def mutated_suites(draw: st.DrawFn) -> str:
    """The text of a valid suite with one to three nodes replaced, deleted, repeated or added."""
    tree = copied(draw(st.sampled_from(TREES)))
    for _ in range(draw(st.integers(1, 3))):
        children, index = draw(st.sampled_from(places(tree)))
        pair = isinstance(children[index], tuple)
        change = draw(st.sampled_from(["replace", "replace", "replace", "wrap", "delete", "repeat", "add", "key"]))
        if change == "delete":
            del children[index]
        elif change == "repeat":
            children.insert(index, children[index])
        elif change == "key" and pair:
            children[index] = (draw(st.sampled_from(KEYS)), children[index][1])
        elif change == "add" and pair:
            children.insert(index, (draw(st.sampled_from(KEYS)), draw(odd_trees)))
        elif change == "wrap" and pair:
            children[index] = (children[index][0], [children[index][1], draw(odd_trees)])
        else:
            new = draw(odd_trees)
            children[index] = (children[index][0], new) if pair else new
        if not places(tree):
            break
    return write(tree)


@st.composite
def mutated_texts(draw: st.DrawFn) -> bytes:
    """The bytes of a valid suite, in block style, with one to three stretches replaced."""
    text = draw(st.sampled_from(TEXTS)).encode()
    pieces = st.one_of(
        st.sampled_from([*ODD, *KEYS, *SYNTAX]).map(str.encode),
        st.text(max_size=8).map(lambda piece: piece.encode("utf-8", "surrogatepass")),
        st.binary(max_size=8),
    )
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        stop = draw(st.integers(start, min(len(text), start + 12)))
        text = text[:start] + draw(pieces) + text[stop:]
    return text


COUNTS = ["1", "2", "3", "7", "8", "1024", str(LARGEST_COUNT), str(LARGEST_COUNT + 1)]
TOLERANCES = ["0", "0.1", "1e-3", "1.0e-300", "1e9", "1.0e+10", ".inf", ".nan", "'1e-3'"]
SPECS = st.builds(
    "{}({}={})".format,
    st.sampled_from(["neural", "neural-commutative", "linear", "van-der-pol", "gbm", "example1", "ornstein-uhlenbeck"]),
    st.sampled_from(["width", "channels", "coupling", "mu", "volatility", "rate", "noise"]),
    st.sampled_from([*ODD, *COUNTS]) | st.text(max_size=6),
)
AXES = {
    "problem": st.sampled_from(["neural", "linear", "example1"]) | SPECS,
    "noise": st.sampled_from(["none", "additive", "scalar", "diagonal", "general"]),
    "calculus": st.sampled_from(["ito", "stratonovich"]),
    "scheme": st.sampled_from(["euler", "heun", "milstein", "rk4", "ees25", "srk"]),
    "method": st.sampled_from(["torch/backprop", "*/adjoint", "torch*/*", "diffrax/*", "*/floor"]),
    **dict.fromkeys(["dim", "batch", "steps", "observations", "threads"], st.sampled_from(COUNTS)),
    "dtype": st.sampled_from(["float32", "float64"]),
    "brownian": st.sampled_from(["own", "tree", "shared"]),
    "stepping": st.sampled_from(["fixed", "adaptive"]),
    **dict.fromkeys(["rtol", "atol"], st.sampled_from(TOLERANCES)),
}
REQUIRED = ("problem", "noise", "method")


@st.composite
def extreme_grids(draw: st.DrawFn) -> str:
    """A suite of known keys, whose values are of the right kind, and small, large or too large."""
    quoted = {"problem", "method"}
    axes = [*REQUIRED, *draw(st.lists(st.sampled_from(sorted(set(AXES) - set(REQUIRED))), unique=True, max_size=5))]
    grid: list[tuple[Any, Any]] = []
    for axis in axes:
        values = draw(st.lists(AXES[axis], min_size=1, max_size=2))
        grid.append((axis, [json.dumps(value) if axis in quoted else value for value in values]))
    tables = draw(st.sampled_from([["orders"], ["exponents"]]))
    return write(Pairs([("name", "tiny"), ("title", "'A question?'"), ("grid", [Pairs(grid)]), ("tables", tables)]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all examples are written."""
    return tmp_path_factory.mktemp("suites")


@fuzz(usual=15, full=200)
@given(text=mutated_suites())
def test_mutated_trees(folder: Path, text: str):
    check(dry_run(folder, text), folder)


@fuzz(usual=15, full=150)
@given(text=mutated_texts())
def test_mutated_texts(folder: Path, text: bytes):
    check(dry_run(folder, text), folder)


@fuzz(usual=15, full=150)
@given(text=extreme_grids())
def test_extreme_grids(folder: Path, text: str):
    check(dry_run(folder, text), folder)


HEAD = "name: tiny\ntitle: A question?\n"
GRID = "grid:\n  - problem: neural\n    noise: diagonal\n    method: torch/backprop\n"
GOOD = HEAD + GRID
DEEP = "[" * (DEEPEST + 5) + "]" * (DEEPEST + 5)


def with_axis(axis: str, value: str) -> str:
    """The good suite with one axis more, or another value of it."""
    kept = [line for line in GOOD.splitlines() if f" {axis}: " not in line]
    start = "  - " if axis == "problem" else "    "
    position = 3 if axis == "problem" else len(kept)
    kept.insert(position, f"{start}{axis}: {value}")
    return "\n".join(kept) + "\n"


# Found by fuzzing, or near to what was found: the text, and what the line must name.
REFUSED = {
    "steps of 400 digits": (with_axis("steps", NINES), ["grid.0.steps", "400 digits", str(LARGEST_COUNT)]),
    "steps of 5001 digits": (with_axis("steps", "9" * 5001), ["line 7", "4300 digits"]),
    "steps of 5000 hexadecimal digits": (with_axis("steps", "0x" + "f" * 5000), ["grid.0.steps", "digits"]),
    "steps just too many": (with_axis("steps", str(LARGEST_COUNT + 1)), ["grid.0.steps", str(LARGEST_COUNT + 1)]),
    "steps that are a boolean": (with_axis("steps", "true"), ["grid.0.steps", "True", "integer"]),
    "steps in the middle of a list": (with_axis("steps", "[8, 0, 16]"), ["grid.0.steps.1", "given 0", "from 1 to"]),
    "rtol that is no number": (with_axis("rtol", ".nan"), ["grid.0.rtol", "nan", "from 0 to"]),
    "rtol that is infinite": (with_axis("rtol", ".inf"), ["grid.0.rtol", "inf", "from 0 to"]),
    "atol of 400 digits": (with_axis("atol", NINES), ["grid.0.atol", "400 digits", "from 0 to"]),
    "atol that is a boolean": (with_axis("atol", "true"), ["grid.0.atol", "True", "number"]),
    "a date that isn't": (with_axis("steps", "2020-13-45"), ["line 7", "2020-13-45", "timestamp"]),
    "a date": (with_axis("problem", "2020-01-01"), ["grid.0.problem", "the date 2020-01-01", "text"]),
    "a time that isn't": (with_axis("steps", "2020-01-01 25:61:61"), ["line 7", "25:61:61", "timestamp"]),
    "a binary number without digits": (with_axis("steps", "0b_"), ["line 7", "'0b_'", "int"]),
    "a tag that doesn't fit": (with_axis("steps", "!!int x"), ["line 7", "'x'", "int"]),
    "a float tag that doesn't fit": (with_axis("rtol", "!!float x"), ["line 7", "'x'", "float"]),
    "a boolean tag that doesn't fit": (with_axis("steps", "!!bool x"), ["line 7", "'x'", "bool"]),
    "a timestamp tag that doesn't fit": (with_axis("steps", "!!timestamp x"), ["line 7", "'x'", "timestamp"]),
    "a set, whose order is lost": (GOOD + "measure: !!set {time, error}\n", ["line 7", "set"]),
    "a mapping tag on a list": (GOOD + "budget: !!map [x]\n", ["line 7", "mapping"]),
    "a long sexagesimal": (with_axis("rtol", "1:" * 400 + "1.5"), ["line 7", "float"]),
    "a character that doesn't exist": (HEAD + 'seed: "\\UFFFFFFFF"\n' + GRID, ["suite.yaml"]),
    "a key that is a list": (GOOD + "? [a, b]\n: 1\n", ["line 7", "a key is a list"]),
    "a key that is a mapping": (GOOD + "? {a: b}\n: 1\n", ["line 7", "a key is a mapping"]),
    "a key that is a number": (GOOD + "1: 2\n", ["line 7", "'1'", "isn't text"]),
    "a key with brackets": (GOOD + "budget(s): {}\n", ["budget(s)", "unknown key", "did you mean 'budget'"]),
    "an axis with brackets": (with_axis("steps[0]", "8"), ["grid.0.steps[0]", "unknown key", "steps"]),
    "a long key": (GOOD + "? " + "x" * 9000 + "\n: 1\n", ["xxx...", "unknown key"]),
    "a key with an escape sequence": (GOOD + '"a\\u202Eb": 1\n', ["line 7", "u202e"]),
    "deep nesting": (with_axis("steps", DEEP), ["line 7", f"{DEEPEST} levels"]),
    "very deep nesting": (with_axis("steps", "[" * 9000), [f"{DEEPEST} levels"]),
    "an alias within itself": (with_axis("steps", "&a [*a]"), ["line 7", "alias"]),
    "an alias bomb": (with_axis("steps", BOMB + "]"), [f"{MOST_VALUES} values"]),
    "a bomb of merges": (GOOD + "budget: " + MERGES + "}\n", [f"{MOST_VALUES} values"]),
    "a list too long": (with_axis("steps", str([1] * (MOST_VALUES + 1))), [f"{MOST_VALUES} values"]),
    "a value too long": (with_axis("scheme", "x" * (LONGEST_SCALAR + 1)), ["line 7", f"{LONGEST_SCALAR} characters"]),
    "a file too long": (GOOD + "#" * LONGEST_TEXT, [f"{LONGEST_TEXT} characters"]),
    "an axis twice": (with_axis("steps", "8") + "    steps: 8\n", ["line 8", "'steps'", "twice"]),
    "half a surrogate pair": (HEAD.replace("A question?", '"\\uD800"') + GRID, ["line 2", "ud800"]),
    "a terminal's escape sequence": (HEAD.replace("A question?", '"\\e[31m"') + GRID, ["line 2", "x1b"]),
    "a null character": (HEAD.replace("A question?", "\0") + GRID, ["x0000"]),
    "an empty title": (HEAD.replace("A question?", '" "') + GRID, ["title", "line of text"]),
    "a long name": (GOOD.replace("tiny", "x" * (LONGEST_NAME + 1)), ["name", f"{LONGEST_NAME} characters"]),
    "the name of the list of pages": (GOOD.replace("tiny", "index"), ["name", "'index'"]),
    "a seed too large": (GOOD + f"seed: {LARGEST_SEED + 1}\n", ["seed", f"to {LARGEST_SEED}"]),
    "a seed of 41 digits": (GOOD + f"seed: {10**40}\n", ["seed", f"to {LARGEST_SEED}"]),
    "a negative seed": (GOOD + "seed: -1\n", ["seed", "-1", "from 0 to"]),
    "memory of nothing": (GOOD + "budget: {memory: 0}\n", ["budget.memory", "given 0", "8GiB"]),
    "memory without its unit": (GOOD + "budget: {memory: 8}\n", ["budget.memory", "given 8", "8GiB"]),
    "memory that is a boolean": (GOOD + "budget: {memory: true}\n", ["budget.memory", "True", "8GiB"]),
    "memory that is infinite": (GOOD + "budget: {memory: .inf}\n", ["budget.memory", "inf", "8GiB"]),
    "memory of 400 digits": (GOOD + f"budget: {{memory: {NINES}}}\n", ["budget.memory", "400 digits", "8GiB"]),
    "memory of 1e999GB": (GOOD + "budget: {memory: 1e999GB}\n", ["budget.memory", "1e999GB", "8GiB"]),
    "negative memory": (GOOD + "budget: {memory: -8GiB}\n", ["budget.memory", "-8GiB"]),
    "rounds of 400 digits": (GOOD + f"budget: {{rounds: {NINES}}}\n", ["budget.rounds", "400 digits"]),
    "precision of 1": (GOOD + "budget: {precision: 1.0}\n", ["budget.precision", "1.0", "below 1"]),
    "precision that is no number": (GOOD + "budget: {precision: .nan}\n", ["budget.precision", "nan"]),
    "seconds without end": (GOOD + "budget: {seconds: .inf}\n", ["budget.seconds", "inf"]),
    "no time at all": (GOOD + "budget: {timeout: 0}\n", ["budget.timeout", "given 0", "above 0"]),
    "a figure of 400 digits": (
        GOOD + f"report: [{{figure: scaling, where: {{steps: {NINES}}}}}]\n",
        ["report.0.where.steps", "400 digits"],
    ),
    "a parameter that is a list": (
        with_axis("problem", "'neural(width=[1,2])'"),
        ["grid.0.problem", "width", "integer"],
    ),
    "a parameter of 400 digits": (
        with_axis("problem", f"neural(width={NINES})"),
        ["grid.0.problem", "width", "digits"],
    ),
    "a parameter of 5001 digits": (with_axis("problem", f"neural(width={'9' * 5001})"), ["grid.0.problem", "width"]),
    "a parameter that is infinite": (with_axis("problem", "van-der-pol(mu=.inf)"), ["grid.0.problem", "mu", "finite"]),
    "a parameter too large for a float": (with_axis("problem", f"van-der-pol(mu={NINES})"), ["grid.0.problem", "mu"]),
    "a parameter without a value": (with_axis("problem", "neural(width=)"), ["grid.0.problem", "width", "''"]),
    "a parameter that is a date": (with_axis("problem", "neural(width=2020-13-45)"), ["grid.0.problem", "2020-13-45"]),
    "a parameter that is no YAML": (with_axis("problem", "'neural(width=&)'"), ["grid.0.problem", "'&'"]),
    "a parameter twice": (with_axis("problem", "'neural(width=1, width=2)'"), ["grid.0.problem", "width", "twice"]),
    "brackets left open": (with_axis("problem", "neural(("), ["grid.0.problem", "'neural(('", "is no problem"]),
    "a method that is a bracket": (with_axis("method", "'['"), ["grid.0.method", "'['", "names no method"]),
    "a glob of nothing": (with_axis("method", "z*"), ["grid.0.method", "'z*'", "names no method"]),
    "a long name of a method": (with_axis("method", "z" * 9000), ["grid.0.method", "...", "names no method"]),
    "a plugin that ends the process": (GOOD + "plugins: [ends.py]\n", ["plugins", "ends.py", "SystemExit"]),
    "a plugin that isn't there": (GOOD + "plugins: [absent.py]\n", ["plugins", "absent.py"]),
    "a plugin with a long name": (GOOD + f"plugins: [{'x' * 9000}.py]\n", ["plugins", "xxx"]),
    "a plugin without a name": (GOOD + 'plugins: [""]\n', ["plugins"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_was_found_is_refused(tmp_path: Path, name: str):
    text, words = REFUSED[name]
    (tmp_path / "ends.py").write_text("import sys\nsys.exit(7)\n")
    outcome = dry_run(tmp_path, text)
    check(outcome, tmp_path)
    assert outcome.code == 2
    for word in words:
        assert word in outcome.err


ACCEPTED = {
    "a merged mapping": "base: &b\n".replace("base: &b\n", "")
    + HEAD
    + "grid:\n  - &b {problem: neural, noise: diagonal,"
    " method: torch/backprop, steps: 8}\n  - {<<: *b, steps: 16}\n  - {<<: [*b, *b], batch: 2}\n",
    "a key that overrides two merges": HEAD + "grid:\n  - &b {<<: &c {steps: 8}, problem: neural, noise: diagonal,"
    " method: torch/backprop, steps: 16}\n  - {<<: [*b, *c]}\n  - {<<: *b, steps: 4}\n",
    "numbers with underscores": with_axis("steps", "1_024"),
    "tolerances as they are usually written": with_axis("rtol", "1e-3"),
    "parameters as they are usually written": with_axis("problem", "van-der-pol(mu=1e3)").replace("diagonal", "none"),
    "a folded title": HEAD.replace("A question?", ">\n  A longer\n  question?") + GRID,
    "a title that looks like markup": HEAD.replace("A question?", "'[/bold] <b> ü'") + GRID,
    "the largest seed": GOOD + f"seed: {LARGEST_SEED}\n",
    "the largest steps": with_axis("steps", str(LARGEST_COUNT)),
    "observations that don't divide the steps": with_axis("observations", "3"),
    "a width below one": with_axis("problem", "neural(width=-1)"),
    "a byte order mark": "\ufeff" + GOOD,
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_looks_odd_and_is_right_is_planned(tmp_path: Path, name: str):
    outcome = dry_run(tmp_path, ACCEPTED[name])
    check(outcome, tmp_path)
    assert outcome.code == 0, outcome.err


def test_too_many_cases_are_refused_before_they_are_made(tmp_path: Path):
    counts = list(range(1, 1001))
    text = GOOD + "".join(f"    {axis}: {counts}\n" for axis in ("dim", "batch", "steps"))
    outcome = dry_run(tmp_path, text)
    check(outcome, tmp_path)
    for word in ("grid.0", "1000000000 cases", str(MOST_CASES)):
        assert word in outcome.err
    half = str([{"problem": "neural", "noise": "none", "method": "*", "steps": counts, "dim": list(range(1, 9))}])[1:-1]
    outcome = dry_run(tmp_path, HEAD + f"grid: [{half}, {half}]\n")
    check(outcome, tmp_path)
    assert outcome.code == 2
    assert "grid" in outcome.err


def test_a_dry_run_of_many_cases_is_a_summary(tmp_path: Path, monkeypatch):
    module = sys.modules["harness.cli.run"]
    monkeypatch.setattr(module, "LISTED_CASES", 10)
    monkeypatch.setattr(module, "LISTED_REASONS", 2)
    outcome = dry_run(tmp_path, with_axis("steps", str(list(range(1, 12)))) + "    observations: [1, 12, 13, 14]\n")
    check(outcome, tmp_path)
    assert next(line.split() for line in outcome.out.splitlines() if line.startswith("  torch"))[2:] == ["11", "cases"]
    assert "and 31 more" in outcome.out


def test_a_title_that_looks_like_markup_is_printed_as_it_is(tmp_path: Path, monkeypatch):
    """In a run, whose console knows markup. No case is measured: no machine has so many cores."""
    monkeypatch.chdir(tmp_path)
    text = ACCEPTED["a title that looks like markup"] + f"    threads: {LARGEST_COUNT}\n"
    outcome = command_line(tmp_path, text)
    assert outcome.code == 0
    assert "[/bold] <b> ü" in outcome.err
    assert "[/bold] &lt;b&gt; ü" in (tmp_path / "report/tiny.html").read_text()
