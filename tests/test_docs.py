"""Consistency: what exists is documented, and what is documented exists."""

from __future__ import annotations

import re
import textwrap
import tomllib
from pathlib import Path

import pytest
import typer
from commands import command
from gradients import distance, gradient

import harness
from harness.cli import app
from harness.cli.list import axes as list_axes
from harness.cli.list import columns as list_columns
from harness.cli.list import markdown
from harness.cli.run import LISTED_CASES
from harness.columns import COMPUTED
from harness.figure import KINDS
from harness.limits import (
    LARGEST_COUNT,
    LARGEST_SECONDS,
    LARGEST_SEED,
    LARGEST_TOLERANCE,
    LONGEST_NAME,
    MOST_CASES,
)
from harness.machine import Machine
from harness.plan import make_plan
from harness.record import STATUSES, columns
from harness.registry import Registry
from harness.strict_yaml import DEEPEST, LONGEST_SCALAR, LONGEST_TEXT, MOST_VALUES
from harness.suite import Budget, Suite, read_suite

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def text(name: str) -> str:
    """A page."""
    return (ROOT / name).read_text()


def test_all_is_what_can_be_imported():
    for name in harness.__all__:
        assert getattr(harness, name).__name__ == name
    with pytest.raises(AttributeError):
        harness.absent  # noqa: B018


def test_columns_are_documented():
    """`python -m harness list columns --markdown` prints the table."""
    page = text("docs/records.md")
    assert markdown(list_columns()) in page
    for name in (*columns(), *COMPUTED, *STATUSES):
        assert f"`{name}`" in page, name


def test_suite_keys_are_documented_with_their_defaults():
    """`python -m harness list axes --markdown` prints the table of axes."""
    page = text("docs/suites.md")
    assert markdown(list_axes()) in page
    for model in (Suite, Budget):
        for name in model.model_fields:
            assert f"| `{name}` |" in page, name
    for name, field in Budget.model_fields.items():
        default = "8 GiB" if name == "memory" else f"{field.default:g}"
        assert re.search(rf"\| `{name}` \|.*\| {re.escape(default)} \|", page), name


def test_figures_are_documented_with_their_options():
    page = text("docs/suites.md")
    for kind, model in KINDS.items():
        (row,) = re.findall(rf"^\| `{kind}` \|.*$", page, flags=re.MULTILINE)
        assert all(f"`{name}`" in row for name in model.model_fields if name != "figure"), kind


def test_limits_are_documented():
    _, _, rest = text("docs/suites.md").partition("## Limits")
    section, _, _ = rest.partition("\n## ")
    bounds = (LARGEST_COUNT, LARGEST_SEED, LONGEST_NAME, MOST_CASES, LONGEST_TEXT, MOST_VALUES, DEEPEST, LONGEST_SCALAR)
    for value in (*bounds, LISTED_CASES):
        assert re.search(rf"\b{value}\b", section), value
    assert LARGEST_TOLERANCE == LARGEST_SECONDS == 10**9
    assert "10⁹" in section


def test_extras_that_a_user_is_told_to_install_exist():
    extras = tomllib.loads(text("pyproject.toml"))["project"]["optional-dependencies"]
    told = [path.read_text() for path in (*PAGES, *(ROOT / "harness").rglob("*.py"))]
    named = {name for body in told for name in re.findall(r"gradient-harness\[(\w+)\]", body)}
    assert named >= {"cluster", "parquet"}
    assert named <= set(extras)
    assert set(extras["cluster"]) <= set(extras["test"])


def test_approaches_are_documented(registry):
    index = text("docs/methods/README.md")
    for name in registry.methods:
        backend, _, approach = name.partition("/")
        if backend in ("torch", "jax"):
            assert (ROOT / f"docs/methods/{approach}.md").is_file(), name
            assert f"]({approach}.md)" in index, name


def test_pages_of_methods_say_the_same_things(registry):
    """What it costs, when it is exact and when it breaks; and where it is from, the authors and a year."""
    for name, method in registry.methods.items():
        backend, _, approach = name.partition("/")
        if backend in ("torch", "jax", "torch-compile"):
            page = text(f"docs/methods/{'torch-compile' if backend == 'torch-compile' else approach}.md")
            for word in (r"\b[Mm]emory\b", r"\bEvaluations\b", r"\b[Ee]xact"):
                assert re.search(word, page), (name, word)
            if not method.baseline:
                assert re.search(r"\b[Ii]t breaks\b", page), name
                assert re.search(r"[A-Z]\w+ (?:&|et al)(?s:.){1,160}?\b(?:19|20)\d\d\b", page), name


def test_native_methods_exist_in_both_frameworks(registry):
    approaches = {b: {n.split("/")[1] for n in registry.methods if n.startswith(f"{b}/")} for b in ("torch", "jax")}
    assert approaches["torch"] == approaches["jax"]


def test_commands_and_options_are_documented(tmp_path):
    page = text("README.md") + text("docs/plugins.md")
    group = typer.main.get_command(app)
    for name, one in group.commands.items():  # type: ignore[attr-defined]
        assert f"python -m harness {name}" in page, name
        assert one.help.split(".")[0] in command(tmp_path, name, "--help").stdout
    options = {o for c in group.commands.values() for p in c.params for o in p.opts if o.startswith("--")}  # type: ignore[attr-defined]
    documented = page + text("docs/cli.md")
    assert not {o for o in options if f"{o}" not in documented}


GENERATED = {"answers.md", "catalogue.md"}
"""Pages of the site that docs/hooks.py makes. MkDocs checks the links to them."""


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_paths_that_pages_name_exist(page):
    body = page.read_text()
    for target in set(re.findall(r"\]\(([^)#:]+)\)", body)) - GENERATED:
        assert (page.parent / target).exists(), target
    for target in re.findall(r"`((?:harness|suites|tests|docs)/[\w./-]+)`", body):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("path", sorted((ROOT / "suites").glob("*.yaml")), ids=lambda p: p.stem)
def test_suites_are_valid_and_listed(path, registry):
    suite, _ = read_suite(path)
    assert suite.name == path.stem
    assert f"| `{suite.name}` | {suite.title} |" in text("README.md")
    assert make_plan(suite, path, registry, Machine(1, frozenset({"torch", "jax"}))).cases


def test_the_quick_suite_has_every_backend(registry):
    path = ROOT / "suites/quick.yaml"
    plan = make_plan(read_suite(path)[0], path, registry, Machine(1))
    assert {case.backend for case in plan.cases} == {"torch", "jax", "torchsde", "diffrax", "torchdiffeq"}


def test_public_things_have_docstrings():
    import ast

    for path in (ROOT / "harness").rglob("*.py"):
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), path
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{path}: {node.name}"


def test_the_coupling_of_a_plugin_works(tmp_path, make_case):
    """The scheme that the page writes out, reversed, gives what backpropagation gives."""
    _, _, rest = text("docs/methods/reversible.md").partition("A plugin makes another:\n")
    block, _, _ = rest.partition("\n`base`")
    plugin = tmp_path / "coupled.py"
    plugin.write_text(textwrap.dedent(block))
    registry = Registry.load([str(plugin)])
    for noise in ("none", "diagonal"):
        expected, *found = (
            gradient(registry, make_case(method=method, scheme="coupled-ralston", noise=noise))
            for method in ("torch/backprop", "torch/reversible", "jax/reversible")
        )
        # Rounding of float64 over 16 steps; λ^−16 adds nothing to it.
        assert all(distance(value, expected) <= 1e-13 for value in found)


def test_the_example_of_a_plugin_works_and_is_right(tmp_path):
    example = ROOT / "docs/examples/suite.yaml"
    assert command(tmp_path, "run", str(example)).returncode == 0
    (run,) = (tmp_path / "results/example").iterdir()
    frame = harness.load(run).set_index("method")
    assert frame["status"].eq("ok").all()
    # Central differences of a step of 1e-5 in float64: truncation and rounding are both near 1e-10.
    assert frame["adjoint_error_theta_median"]["example/finite-differences"] < 1e-8
    assert len((ROOT / "docs/examples/finite_differences.py").read_text().splitlines()) < 60
