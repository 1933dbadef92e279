"""Suites of methods in numpy, which do something wrong: a run of them compiles nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PLUGIN = """
import contextlib, os, signal, subprocess, sys, time
from pathlib import Path

import numpy as np

from harness import AbstractGradientMethod, Gradient

STARTED = []

class _Toy(AbstractGradientMethod):
    framework = "numpy"
    summary = "for a test"

    def unsupported(self, case):
        return None

    def build(self, problem, scheme, case, path):
        y0 = problem.values.y0.astype(case.dtype)
        theta = {name: value.astype(case.dtype) for name, value in problem.values.theta.items()}
        return lambda: self.gradient(y0, theta)

    def gradient(self, y0, theta):
        return Gradient(1.0, theta, y0)


class Good(_Toy):
    name = "toy/good"
"""
GRADIENT = """

class {title}(_Toy):
    name = "toy/{name}"

    def gradient(self, y0, theta):
        {body}
"""
SUITE = """
name: toy
title: Toys
grid:
  - problem: linear
    noise: none
    method: {methods}
    scheme: euler
    dim: 2
    batch: 2
    steps: {steps}
measure: {measure}
budget: {budget}
plugins: [toys.py]
"""


def write_suite(
    folder: Path,
    bodies: dict[str, str] | None = None,
    *,
    methods: str = "toy/*",
    steps: str = "4",
    measure: str = "[time]",
    budget: str = "{rounds: 2, seconds: 1, timeout: 10}",
    more: str = "",
) -> Path:
    """Write `toys.py` with the method `toy/good` and one for each body of `gradient(y0, theta)`, and a suite of them.

    `more` is text for the end of the suite's file.
    """
    text = PLUGIN
    for name, body in (bodies or {}).items():
        title = "".join(part.title() for part in name.split("-"))
        text += GRADIENT.format(title=title, name=name, body=body.replace("\n", "\n        "))
    (folder / "toys.py").write_text(text)
    path = folder / "toy.yaml"
    path.write_text(SUITE.format(methods=methods, steps=steps, measure=measure, budget=budget) + more)
    return path


def run_folder(folder: Path) -> Path:
    """The suite's only run."""
    (path,) = (folder / "results" / "toy").iterdir()
    return path


def lines(folder: Path) -> list[dict[str, Any]]:
    """All lines of the only run's records."""
    text = (run_folder(folder) / "records.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def newest(folder: Path) -> dict[str, dict[str, Any]]:
    """The newest record of each method."""
    return {row["method"].removeprefix("toy/"): row for row in lines(folder)}
