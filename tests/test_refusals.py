"""What a run will refuse is said before it, with the true reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import command

from harness.machine import Machine
from harness.plan import Plan, make_plan
from harness.suite import parse_suite

HEAD = "name: t\ntitle: t\ngrid:\n  - {problem: neural, dim: 2, batch: 2, "


def plan(registry, axes: str) -> Plan:
    return make_plan(parse_suite(HEAD + axes + "}\n", Path("t.yaml")), Path("t.yaml"), registry, Machine(2))


@pytest.mark.parametrize(
    ("axes", "reason"),
    [
        ("noise: general, stepping: adaptive, brownian: tree, method: torch/backprop", "commutative noise only"),
        ("noise: diagonal, calculus: ito, steps: 64, observations: 20, method: torch/backprop", "don't divide"),
        ("noise: none, scheme: midpoint, method: torchsde/backprop", "not ODEs"),
        ("noise: none, scheme: ralston, method: torchdiffeq/backprop", "ralston of torchdiffeq is not wrapped here"),
        ("noise: diagonal, brownian: tree, method: torchsde/backprop", "brownian: tree"),
    ],
)
def test_the_reason_is_the_true_one_and_is_known_at_plan_time(registry, axes, reason):
    made = plan(registry, axes)
    assert not made.cases
    assert all(reason in why for _, why in made.unsupported)


PLUGIN = """
import numpy as np
from harness import AbstractProblem

class AbstractMine(AbstractProblem):
    def initial(self, normals, batch): return normals(batch, self.dim)
    def parameters(self, normals): return {"a": normals(self.dim)}
    def drift(self, xp, t, y, theta): return -y * theta["a"]
    def diffusion(self, xp, t, y, theta): return 0 * y + 0.1
    def loss(self, xp, ys): return (ys[-1] ** 2).mean()

class TorchAlone(AbstractMine):
    name = "mine-torch"
    def drift(self, xp, t, y, theta):
        import torch
        return torch.tanh(y) * theta["a"]

class ScalarDrift(AbstractMine):
    name = "mine-column"
    def drift(self, xp, t, y, theta): return (-y * theta["a"])[:, :1]

class VectorLoss(AbstractMine):
    name = "mine-vector-loss"
    def loss(self, xp, ys): return (ys[-1] ** 2).mean(0)

class FlatStart(AbstractMine):
    name = "mine-flat"
    def initial(self, normals, batch): return normals(batch)

class Widened(AbstractMine):
    name = "mine-wide"
    def drift(self, xp, t, y, theta):
        if xp.__name__ == "torch":
            return -(y.double()) * theta["a"]
        return -y * theta["a"]

class FromJax(AbstractMine):
    name = "mine-jax"
    def parameters(self, normals):
        import jax
        return {"a": np.asarray(jax.random.normal(jax.random.key(0), (self.dim,)), np.float64)}

class Raises(AbstractMine):
    name = "mine-raises"
    def parameters(self, normals): raise KeyError("weights")
"""
SUITE = """
name: mine
title: What is refused?
plugins: [mine.py]
measure: [MEASURE]
budget: {rounds: 1}
grid:
  - problem: PROBLEM
    noise: diagonal
    method: [torch/backprop, jax/backprop]
    dim: 3
    batch: 4
    steps: 4
"""


def run(folder: Path, problem: str, measure: str, *options: str) -> str:
    """What `harness run` prints."""
    (folder / "mine.py").write_text(PLUGIN)
    (folder / "mine.yaml").write_text(SUITE.replace("MEASURE", measure).replace("PROBLEM", problem))
    found = command(folder, "run", "mine.yaml", *options)
    assert "Traceback" not in found.stdout + found.stderr
    assert found.returncode == 0, found.stderr
    return found.stdout


def test_a_dry_run_says_what_a_plugins_problem_cannot_do(tmp_path):
    """Where it can't be evaluated, what has a wrong shape or precision: with what was given and what is needed."""
    names = "mine-torch, mine-column, mine-vector-loss, mine-flat, mine-wide, mine-jax, mine-raises"
    said = run(tmp_path, f"[{names}]", "adjoint_error", "--dry-run")
    assert "its errors have no reference" in said
    assert "mine-torch can't be evaluated in JAX" in said
    assert "the drift of mine-column has shape (4, 1); needed: (4, 3)" in said
    assert "the loss of mine-vector-loss has shape (3,); needed: ()" in said
    assert "initial() of mine-flat gives shape (4,); needed: (batch, dim) = (4, 3)" in said
    assert "the drift of mine-wide is float64 where y is float32" in said
    assert "KeyError: 'weights'" in said
    assert "3 cases in 2 blocks, 11 unsupported" in said  # mine-jax in both, mine-wide in JAX


def test_without_errors_a_problem_needs_no_other_framework(tmp_path):
    said = run(tmp_path, "mine-torch", "time", "--dry-run")
    assert "1 cases in 1 blocks, 1 unsupported" in said


def test_parameters_that_depend_on_the_process_are_drawn_once(tmp_path):
    """JAX draws other numbers with x64 than without."""
    import harness

    run(tmp_path, "mine-jax", "adjoint_error")
    (folder,) = (tmp_path / "results/mine").iterdir()
    frame = harness.load(folder)
    assert (frame["status"] == "ok").all()
    assert (frame["adjoint_error_theta_median"] < 1e-6).all()
