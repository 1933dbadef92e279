"""The native methods on a GPU: the same code, so the same gradients on the shared path. Only where there is one."""

from __future__ import annotations

import jax
import pytest
import torch
from gradients import distance, gradient

from harness.registry import Registry

NATIVE = [name for name in Registry.load().methods if name.startswith(("torch/", "jax/"))]
SETTINGS = [
    {"noise": "general", "scheme": "heun"},
    {"noise": "diagonal", "scheme": "reversible-heun"},
    {"noise": "diagonal", "scheme": "ees25"},
    {"noise": "none", "scheme": "alf"},
]
GPUS = {
    "torch": torch.cuda.is_available,
    "jax": lambda: any(device.platform == "gpu" for device in jax.devices()),
}


@pytest.mark.parametrize("method", NATIVE)
def test_the_gradient_is_that_of_the_processor(registry, make_case, method):
    """To the rounding of float64: a GPU sums in another order."""
    framework = method.partition("/")[0]
    if not GPUS[framework]():
        pytest.skip(f"{framework} sees no GPU here")
    for axes in SETTINGS:
        cases = [make_case(method=method, device=device, observations=2, **axes) for device in ("cpu", "cuda")]
        if registry.methods[method].unsupported(cases[0]) or registry.methods[method].baseline:
            continue
        expected, found = (gradient(registry, case) for case in cases)
        assert distance(found, expected) <= 1e-10, axes
