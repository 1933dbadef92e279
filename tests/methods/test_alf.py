"""The asynchronous leapfrog: what it takes and what it refuses."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_only_the_leapfrog_and_only_odes(registry, framework):
    method = registry.methods[f"{framework}/alf"]
    assert [name for name, scheme in registry.schemes.items() if method.unsuited(scheme) is None] == ["alf"]
    assert "alf alone, not of heun" in method.unsuited(registry.schemes["heun"])
    noisy = registry.problem("neural", noise="additive", calculus="ito", dim=2)
    assert "noise none" in registry.schemes["alf"].unsupported(noisy)
