"""Float32: each native method keeps to its own float64 gradient, on the same path, up to rounding."""

from __future__ import annotations

import pytest
from cases import small_case, usual_schemes
from gradients import distance, gradient, problem_of

from harness.registry import Registry

REGISTRY = Registry.load()
STEPS = 16


def float32_rounding() -> float:
    """16 steps of a few roundings each, 6e-8, which partly cancel: 1e-7 to 3e-7 was measured, and six times that."""
    return 2e-6


def settings(registry: Registry) -> list[tuple[str, str, str]]:
    """(method, noise, scheme) for each native method that has a gradient in float32; an ODE where it has no noise."""
    found = []
    for name, method in registry.methods.items():
        backend = name.partition("/")[0]
        if backend in ("torch", "jax") and not method.baseline:
            schemes = {
                noise: usual_schemes(registry, small_case(method=name, noise=noise, dtype="float32"))
                for noise in ("general", "none")
            }
            noises = ("general", "none") if backend == "torch" or not schemes["general"] else ("general",)
            found += [(name, noise, scheme) for noise in noises for scheme in schemes[noise]]
    return found


@pytest.mark.parametrize(("method", "noise", "scheme"), settings(REGISTRY))
def test_float32_is_float64_up_to_rounding(registry, make_case, method, noise, scheme):
    axes = {"method": method, "noise": noise, "scheme": scheme, "steps": STEPS, "observations": 2}
    axes["problem"] = "neural(width=4)"  # few parameters: forward sensitivities are a solve for each
    assert registry.schemes[scheme].unsupported(problem_of(registry, make_case(**axes))) is None
    double, single = (gradient(registry, make_case(dtype=dtype, **axes)) for dtype in ("float64", "float32"))
    assert distance(single, double) <= float32_rounding()
    assert single.loss == pytest.approx(double.loss, rel=float32_rounding())
    assert distance(single, double) > 1e-9  # it was indeed computed in float32
