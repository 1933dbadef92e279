"""The reversible and effectively symmetric schemes converge at their orders, on problems with a closed form."""

from __future__ import annotations

import numpy as np
import pytest
from loop import last

from harness.brownian.path import SharedPath
from harness.initial import initial_values
from harness.measuring.statistics import log_slope
from harness.terms import Terms


@pytest.mark.parametrize(
    ("scheme", "problem", "noise", "order"),
    [
        ("coupled-euler", "example3", "additive", 1.0),
        ("coupled-euler", "linear", "none", 1.0),
        ("coupled-heun", "example1", "diagonal", 1.0),
        ("coupled-heun", "linear", "none", 2.0),
        ("coupled-midpoint", "example2", "diagonal", 1.0),
        ("coupled-midpoint", "linear", "none", 2.0),
        ("coupled-rk4", "linear", "none", 4.0),
        ("alf", "linear", "none", 2.0),
        ("ees25", "example1", "diagonal", 1.0),
        ("ees25", "linear", "none", 2.0),
        ("ees27", "example2", "diagonal", 1.0),
        ("ees27", "linear", "none", 2.0),
    ],
)
def test_strong_order(registry, scheme, problem, noise, order):
    """The root mean square error over 100 paths at four steps, within 0.25 of the order."""
    it = registry.problem(problem, noise=noise, calculus="stratonovich", dim=2)
    stepper = registry.schemes[scheme]
    assert stepper.unsupported(it) is None
    y0, theta = initial_values(it, 100, 1)
    path = SharedPath(3, 100, it.noise_dim)
    exact = it.solution(np, 1.0, None if noise == "none" else path.total(), y0, theta)
    terms = Terms(np, it, theta)
    steps, errors = [16, 32, 64, 128], []
    for n in steps:
        dWs = None if noise == "none" else path.increments(n)[0]
        y1 = last(stepper, terms, y0, dWs, n)
        errors.append(float(np.sqrt(np.mean((y1 - exact) ** 2))))
    assert log_slope(steps, errors) == pytest.approx(-order, abs=0.25)
