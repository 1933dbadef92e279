"""The asynchronous leapfrog: its own sweep and the generic one meet backpropagation."""

from __future__ import annotations

import pytest
from gradients import distance, gradient


def exact_tolerance() -> float:
    """Rounding of float64 over 64 steps, each of which reconstructs a state."""
    return 1e-11


@pytest.mark.parametrize(("steps", "observations"), [(1, 1), (7, 1), (64, 4)])
@pytest.mark.parametrize("problem", ["neural", "linear"])
@pytest.mark.parametrize("method", ["torch/alf", "torch/reversible"])
def test_torch_meets_backprop(registry, make_case, method, problem, steps, observations):
    axes = {"problem": problem, "noise": "none", "scheme": "alf", "steps": steps, "observations": observations}
    expected = gradient(registry, make_case(method="torch/backprop", **axes))
    assert distance(gradient(registry, make_case(method=method, **axes)), expected) <= exact_tolerance()


@pytest.mark.parametrize(
    ("method", "steps", "observations"),
    [("jax/alf", 1, 1), ("jax/alf", 7, 1), ("jax/alf", 64, 4), ("jax/reversible", 64, 4)],
)
def test_jax_meets_torch_backprop(registry, make_case, method, steps, observations):
    axes = {"noise": "none", "scheme": "alf", "steps": steps, "observations": observations}
    expected = gradient(registry, make_case(method="torch/backprop", **axes))
    assert distance(gradient(registry, make_case(method=method, **axes)), expected) <= exact_tolerance()


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_only_the_leapfrog_and_only_odes(registry, framework):
    method = registry.methods[f"{framework}/alf"]
    assert [name for name, scheme in registry.schemes.items() if method.unsuited(scheme) is None] == ["alf"]
    assert "alf alone, not of heun" in method.unsuited(registry.schemes["heun"])
    noisy = registry.problem("neural", noise="additive", calculus="ito", dim=2)
    assert "noise none" in registry.schemes["alf"].unsupported(noisy)
