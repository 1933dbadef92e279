"""Forward sensitivities with noise of their own."""

from __future__ import annotations

import pytest
from gradients import distance, gradient
from tolerances import exact_tolerance

SMALL = "neural(width=4)"  # fewer parameters than a chunk holds


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_own_sampler(registry, make_case, framework):
    """Every chunk of directions must meet the noise that the solve for ∂L/∂y met."""
    axes = {"problem": SMALL, "brownian": "own", "steps": 64}
    expected = gradient(registry, make_case(method=f"{framework}/checkpoint", **axes))
    found = gradient(registry, make_case(method=f"{framework}/forward", **axes))
    assert distance(found, expected) <= exact_tolerance()
