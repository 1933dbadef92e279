"""Finite differences meet backpropagation to what they can."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from gradients import distance, gradient

from harness.measuring.statistics import log_slope
from harness.methods.jax import _compile
from harness.methods.jax import finite_differences as in_jax
from harness.methods.torch import finite_differences as in_torch

SMALL = "neural(width=4)"
CASES = [
    *((SMALL, noise, "stratonovich", "heun", 8, 4) for noise in ("none", "additive", "scalar", "diagonal", "general")),
    (SMALL, "none", "stratonovich", "reversible-heun", 8, 1),
    (SMALL, "general", "stratonovich", "reversible-heun", 1, 1),
    ("neural", "diagonal", "stratonovich", "heun", 4, 1),  # more entries than a chunk holds
]


def difference_tolerance() -> float:
    """ε² times a third derivative of order 1 to 10, and rounding 1e-16 / ε, with ε = 6e-6: some 1e-10, thrice over."""
    return 1e-9


@pytest.mark.parametrize(("problem", "noise", "calculus", "scheme", "steps", "observations"), CASES)
@pytest.mark.parametrize("method", ["torch/finite-differences", "jax/finite-differences"])
def test_meets_backprop(registry, make_case, method, problem, noise, calculus, scheme, steps, observations):
    axes = {"problem": problem, "noise": noise, "calculus": calculus, "scheme": scheme, "steps": steps}
    axes["observations"] = observations
    expected = gradient(registry, make_case(method="torch/backprop", **axes))
    found = gradient(registry, make_case(method=method, **axes))
    assert distance(found, expected) <= difference_tolerance()
    assert found.loss == pytest.approx(expected.loss, rel=1e-13)


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_own_sampler(registry, make_case, framework):
    """Both ends and every chunk must meet the same noise."""
    axes = {"problem": SMALL, "brownian": "own", "steps": 64}
    expected = gradient(registry, make_case(method=f"{framework}/backprop", **axes))
    found = gradient(registry, make_case(method=f"{framework}/finite-differences", **axes))
    assert distance(found, expected) <= difference_tolerance()


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_float32_is_refused(registry, make_case, framework):
    method = registry.methods[f"{framework}/finite-differences"]
    assert "float64" in method.unsupported(make_case(dtype="float32"))


@pytest.fixture
def set_difference(monkeypatch) -> Iterator[Callable[[float], None]]:
    """Sets ε wherever it is read; what was compiled holds the one before, and is forgotten."""

    def set_to(difference: float) -> None:
        for module in (in_jax, in_torch):
            monkeypatch.setattr(module, "DIFFERENCE", difference)
        _compile._executable.cache_clear()

    yield set_to
    _compile._executable.cache_clear()


@pytest.mark.parametrize("framework", ["torch", "jax"])
@pytest.mark.parametrize("noise", ["none", "diagonal"])
def test_the_error_falls_as_the_square_of_the_difference(registry, make_case, set_difference, framework, noise):
    """Differences so wide that rounding, 1e-16 / ε, is far below the truncation, some 1e-6."""
    axes = {"problem": SMALL, "noise": noise, "steps": 8, "observations": 4}
    expected = gradient(registry, make_case(method=f"{framework}/backprop", **axes))
    differences, errors = [1e-2, 5e-3, 2.5e-3], []
    for difference in differences:
        set_difference(difference)
        found = gradient(registry, make_case(method=f"{framework}/finite-differences", **axes))
        errors.append(distance(found, expected))
    # The next term is ε² ≤ 1e-4 of the first, times a constant of order 1 to 10.
    assert log_slope(differences, errors) == pytest.approx(2, abs=0.1)
