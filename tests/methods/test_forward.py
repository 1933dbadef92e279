"""Forward sensitivities meet backpropagation."""

from __future__ import annotations

import pytest
from gradients import distance, gradient

NOISES = ("none", "additive", "scalar", "diagonal", "general")
SMALL = "neural(width=4)"  # fewer parameters than a chunk holds
CASES = [
    *((SMALL, noise, "stratonovich", scheme, 7, 1) for noise in NOISES for scheme in ("heun", "reversible-heun")),
    (SMALL, "none", "stratonovich", "alf", 64, 4),
    (SMALL, "general", "stratonovich", "coupled-heun", 1, 1),
    ("neural", "diagonal", "stratonovich", "heun", 8, 4),  # more parameters than a chunk holds
    ("example1", "diagonal", "ito", "milstein", 8, 1),  # a scheme that takes derivatives itself
]


def exact_tolerance() -> float:
    """Rounding of float64 over the solve; nothing is reconstructed."""
    return 1e-13


@pytest.mark.parametrize(("problem", "noise", "calculus", "scheme", "steps", "observations"), CASES)
def test_torch_meets_backprop(registry, make_case, problem, noise, calculus, scheme, steps, observations):
    axes = {"problem": problem, "noise": noise, "calculus": calculus, "scheme": scheme, "steps": steps}
    axes["observations"] = observations
    expected = gradient(registry, make_case(method="torch/backprop", **axes))
    assert distance(gradient(registry, make_case(method="torch/forward", **axes)), expected) <= exact_tolerance()


@pytest.mark.parametrize(
    ("problem", "noise", "calculus", "scheme", "steps", "observations"),
    [case for case in CASES if case[3] != "reversible-heun" or case[1] == "general"],
)
def test_jax_meets_torch_backprop(registry, make_case, problem, noise, calculus, scheme, steps, observations):
    axes = {"problem": problem, "noise": noise, "calculus": calculus, "scheme": scheme, "steps": steps}
    axes["observations"] = observations
    expected = gradient(registry, make_case(method="torch/backprop", **axes))
    assert distance(gradient(registry, make_case(method="jax/forward", **axes)), expected) <= exact_tolerance()


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_own_sampler(registry, make_case, framework):
    """Every chunk of directions must meet the noise that the solve for ∂L/∂y met."""
    axes = {"problem": SMALL, "brownian": "own", "steps": 64}
    expected = gradient(registry, make_case(method=f"{framework}/checkpoint", **axes))
    found = gradient(registry, make_case(method=f"{framework}/forward", **axes))
    assert distance(found, expected) <= exact_tolerance()
