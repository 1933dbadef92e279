"""`harness new`: what it writes runs as it is."""

from __future__ import annotations

from pathlib import Path

import gradients
import pytest
from typer.testing import CliRunner

from harness.cli import app
from harness.errors import InputError
from harness.gradient_arrays import relative_error
from harness.machine import Machine
from harness.models.jax.probe import probe as jax_probe
from harness.models.source import Source
from harness.models.torch.probe import probe
from harness.plan import make_plan
from harness.registry import Registry
from harness.suite import read_suite


def write(kind: str, folder: Path) -> Path:
    """A file of this kind with the name `two_words`."""
    found = CliRunner().invoke(app, ["new", kind, "two_words", "--folder", str(folder)], catch_exceptions=False)
    assert found.exit_code == 0
    assert f"two_words.{'py' if kind == 'model' else 'yaml'}" in found.output.splitlines()[-1]
    return folder / "two_words.py"


@pytest.mark.parametrize("kind", ["method", "problem", "scheme"])
def test_a_plugin_is_measured_by_its_suite(kind: str, tmp_path: Path) -> None:
    """Its gradient is that of backpropagation, where it has one of its own."""
    write(kind, tmp_path)
    suite, _ = read_suite(tmp_path / "two_words.yaml")
    registry = Registry.load(suite.plugins)
    plan = make_plan(suite, tmp_path / "two_words.yaml", registry, Machine(2))
    assert plan.cases
    assert not plan.unsupported
    own = [case for case in plan.cases if "two-words" in (case.scheme, case.problem, case.method.partition("/")[2])]
    case = next(case for case in own if not case.method.startswith("jax/"))
    found = gradients.gradient(registry, case)
    assert found.finite()
    if kind == "method":
        others = [c for c in plan.cases if c.block_id == case.block_id and c.method == "torch/backprop"]
        expected = gradients.gradient(registry, others[0])
        assert relative_error(found.theta, expected.theta) < 1e-5


def test_a_model_is_found(tmp_path: Path) -> None:
    """With its settings."""
    file = write("model", tmp_path)
    source, _ = Source.of(f"{file.name}:two_words", tmp_path)
    facts = probe(source, source.model(), {"batch": 3, "width": 4}, seed=0, device="cpu")
    assert (facts.noise, facts.calculus, facts.batch, facts.dim, facts.observations) == ("diagonal", "ito", 3, 4, 4)
    assert facts.asked_dt == 1 / 64


def test_a_model_in_jax_is_found(tmp_path: Path) -> None:
    """As diffrax has it."""
    arguments = ["new", "model", "two_words", "--framework", "jax", "--folder", str(tmp_path)]
    assert CliRunner().invoke(app, arguments, catch_exceptions=False).exit_code == 0
    source, _ = Source.of("two_words.py:two_words", tmp_path)
    facts = jax_probe(source, source.model(), {"batch": 3, "width": 4}, seed=0, device="cpu")
    found = (facts.framework, facts.noise, facts.calculus, facts.batch, facts.dim, facts.observations)
    assert found == ("jax", "diagonal", "stratonovich", 3, 4, 4)
    arguments[1] = "scheme"
    with pytest.raises(InputError, match="only for a model"):
        CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """And a name must be one that Python takes."""
    write("scheme", tmp_path)
    with pytest.raises(InputError, match="is there already"):
        CliRunner().invoke(app, ["new", "scheme", "two_words", "--folder", str(tmp_path)], catch_exceptions=False)
    with pytest.raises(InputError, match="letters, digits and _"):
        CliRunner().invoke(app, ["new", "model", "no-name", "--folder", str(tmp_path)], catch_exceptions=False)
