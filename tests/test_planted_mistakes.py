"""Mistakes that happened in public code, planted as methods: what a run says of each.

`docs/methodology.md` has the table.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from commands import command

import harness

PLUGIN = '''
import time
from dataclasses import replace

import numpy as np

from harness import AbstractGradientMethod
from harness.brownian.path import SharedPath
from harness.methods.jax.backprop import Backprop as JaxBackprop
from harness.methods.torch.backprop import Backprop


class _Planted(AbstractGradientMethod):
    framework = "torch"
    summary = "a mistake"

    def unsupported(self, case):
        return None

    def right(self, problem, scheme, case, path):
        return Backprop().build(problem, scheme, case, path)


class Twice(_Planted):
    name = "planted/twice"

    def build(self, problem, scheme, case, path):
        run = self.right(problem, scheme, case, path)

        def twice():
            found = run()
            return replace(found, theta={name: 2 * value for name, value in found.theta.items()})

        return twice


class OtherNoiseBackwards(_Planted):
    name = "planted/other-noise-backwards"

    def build(self, problem, scheme, case, path):
        other = SharedPath(path.seed + 1, path.batch, path.noise_dim, path.t0, path.t1) if path else path
        forward, backward = self.right(problem, scheme, case, path), self.right(problem, scheme, case, other)
        return lambda: replace(backward(), loss=forward().loss)


class OtherPath(_Planted):
    name = "planted/other-path"

    def build(self, problem, scheme, case, path):
        other = SharedPath(path.seed + 1, path.batch, path.noise_dim, path.t0, path.t1) if path else path
        return self.right(problem, scheme, case, other)


class NoInitialTerm(_Planted):
    """y0's gradient lacks what the first of several observations gives it."""

    name = "planted/no-initial-term"

    def build(self, problem, scheme, case, path):
        class Later(type(problem)):
            def loss(self, xp, ys):
                return super().loss(xp, xp.concatenate([ys[:1].detach(), ys[1:]]))

        later = Later(noise=problem.noise, calculus=problem.calculus, dim=problem.dim, values=problem.values)
        run, wrong = self.right(problem, scheme, case, path), self.right(later, scheme, case, path)
        return lambda: replace(run(), y0=wrong().y0)


class SinglePrecision(_Planted):
    """Solves in float32 and reports float64."""

    name = "planted/single-precision"

    def build(self, problem, scheme, case, path):
        run = self.right(problem, scheme, replace(case, dtype="float32"), path)

        def double():
            found = run()
            theta = {name: value.double() for name, value in found.theta.items()}
            return replace(found, loss=found.loss.double(), theta=theta, y0=found.y0.double())

        return double


class SaysFloat32(_Planted):
    name = "planted/says-float32"

    def build(self, problem, scheme, case, path):
        return self.right(problem, scheme, replace(case, dtype="float32"), path)


_KEPT = {}


class Cached(_Planted):
    """Computes a gradient once, whatever is asked afterwards."""

    name = "planted/cached"

    def build(self, problem, scheme, case, path):
        run = self.right(problem, scheme, case, path)

        def cached():
            if not _KEPT:
                _KEPT["it"] = run()
            return _KEPT["it"]

        return cached


class Mutates(_Planted):
    """Takes a step of gradient descent on the way."""

    name = "planted/mutates"

    def build(self, problem, scheme, case, path):
        import torch

        from harness.methods.torch._solve import TorchSolve

        solve = TorchSolve.of(problem, scheme, case, path)

        def run():
            state, ys = solve.init(solve.y0), []
            solve.observe(state, 0, solve.steps, ys)
            loss = problem.loss(torch, torch.stack(ys))
            y0, *theta = torch.autograd.grad(loss, [solve.y0, *solve.parameters])
            with torch.no_grad():
                for parameter, gradient in zip(solve.parameters, theta):
                    parameter -= 0.1 * gradient
            return solve.gradient(loss.detach(), y0, theta)

        return run


class MutatesTheValues(_Planted):
    """Writes into the parameters that all methods of the block share."""

    name = "planted/mutates-values"

    def build(self, problem, scheme, case, path):
        for value in problem.values.theta.values():
            value *= 2
        return self.right(problem, scheme, case, path)


class SecondCall(_Planted):
    name = "planted/second-call"

    def build(self, problem, scheme, case, path):
        run, calls = self.right(problem, scheme, case, path), []

        def other():
            calls.append(0)
            found = run()
            return replace(found, y0=found.y0 * len(calls))

        return other


class ThreeOfFour(_Planted):
    name = "planted/three-of-four"

    def build(self, problem, scheme, case, path):
        run = self.right(problem, scheme, case, path)

        def short():
            found = run()
            return replace(found, y0=found.y0[:3])

        return short


class WrongNames(_Planted):
    name = "planted/wrong-names"

    def build(self, problem, scheme, case, path):
        run = self.right(problem, scheme, case, path)

        def renamed():
            found = run()
            return replace(found, theta={"weights": next(iter(found.theta.values()))})

        return renamed


class LostObservation(_Planted):
    """Gives the loss the last state alone: the mean over observations hides it."""

    name = "planted/lost-observation"

    def build(self, problem, scheme, case, path):
        return self.right(problem, scheme, replace(case, observations=1), path)


class NotWaitedFor(AbstractGradientMethod):
    """Says that its framework is numpy, so that nobody would wait for JAX."""

    name = "planted/not-waited-for"
    framework = "numpy"
    summary = "a mistake"

    def unsupported(self, case):
        return None

    def build(self, problem, scheme, case, path):
        import jax

        jax.config.update("jax_enable_x64", case.dtype == "float64")
        return JaxBackprop().build(problem, scheme, case, path)
'''
SUITE = """
name: planted
title: Which planted mistakes are seen?
plugins: [planted.py]
measure: [time, adjoint_error]
budget: {rounds: 3, replicates: 2}
grid:
  - problem: ornstein-uhlenbeck
    noise: additive
    method: [planted/*, torch/backprop, torch/floor, jax/backprop]
    scheme: heun
    dim: 3
    batch: 4
    steps: 512
    observations: 2
    dtype: float64
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> tuple[pd.DataFrame, str, str]:
    """The records by method, what the terminal said, and the page."""
    folder: Path = tmp_path_factory.mktemp("planted")
    (folder / "planted.py").write_text(PLUGIN)
    (folder / "planted.yaml").write_text(SUITE)
    found = command(folder, "run", "planted.yaml")
    assert found.returncode == 1, found.stderr
    (records,) = (folder / "results/planted").iterdir()
    return harness.load(records).set_index("method"), found.stdout, (folder / "report/planted.html").read_text()


MISSED = [
    ("twice", "theta", 1.0),
    ("other-noise-backwards", "theta", 1e-3),
    ("other-path", "theta", 1e-3),
    ("no-initial-term", "y0", 1e-2),
    ("single-precision", "theta", 1e-9),
    ("cached", "theta", 1e-3),
]
"""Method, the part of the gradient that is wrong, and the least by which."""


def missed(said: str) -> str:
    """The sentence of the methods that miss the discrete gradient."""
    return next(line for line in said.splitlines() if "missed by" in line and "(up to" in line)


@pytest.mark.parametrize(("method", "part", "least"), MISSED)
def test_a_wrong_gradient_is_missed(run, method, part, least):
    frame, said, page = run
    row = frame.loc[f"planted/{method}"]
    assert row["status"] == "ok"
    assert max(row[f"adjoint_error_{part}"]) >= least
    assert f"planted/{method} (up to" in missed(said)
    assert f"planted/{method} (up to" in page


@pytest.mark.parametrize("method", ["torch/backprop", "jax/backprop", "planted/not-waited-for"])
def test_a_right_gradient_is_not(run, method):
    frame, said, _ = run
    assert frame.loc[method, "status"] == "ok"
    assert frame.loc[method, "adjoint_error_theta_median"] < 1e-12
    assert method not in missed(said)


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("mutates", "the second call"),
        ("mutates-values", "read-only"),
        ("second-call", "the second call"),
        ("three-of-four", "shape (3, 3); needed: (4, 3)"),
        ("wrong-names", "weights"),
        ("lost-observation", "shape (1, 4, 3); needed: (observations, batch, dim) = (2, 4, 3)"),
        ("says-float32", "float32 in a case of float64"),
    ],
)
def test_a_method_that_breaks_its_contract_fails(run, method, reason):
    frame, said, page = run
    row = frame.loc[f"planted/{method}"]
    assert row["status"] == "failed"
    assert reason in row["reason"]
    assert f"planted/{method}" in said
    assert f"planted/{method}" in page


def test_what_is_not_waited_for_is_not_timed_as_fast(run):
    """JAX computes it in about the time of jax/backprop, which it is, not in that of a dispatch."""
    frame, _, _ = run
    whole, dispatched = frame.loc["jax/backprop", "seconds_median"], frame.loc["planted/not-waited-for"]
    assert dispatched["cpu_ratio"] > 0.5
    assert dispatched["seconds_median"] > 0.3 * whole


def test_a_gradient_that_is_kept_is_too_fast_to_be_true(run):
    frame, said, page = run
    assert frame.loc["planted/cached", "seconds_median"] < 0.1 * frame.loc["torch/floor", "seconds_median"]
    beware = next(line for line in said.splitlines() if "of the floor's time" in line)
    assert "planted/cached" in beware
    assert "of the floor" in page
