"""The native samplers draw H as well as W where a scheme needs both."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from harness.grid import Grid

STEPS = 16
GRID = Grid(0.0, 1.0, STEPS)


def drawn(backend, case):
    """W and H of every step, (2, steps, numbers)."""
    if backend == "torch":
        from harness.brownian.torch_noise import TorchNoise

        noise = TorchNoise(case, 4, GRID, levy_area=True)
        steps = [noise[n] for n in range(STEPS)]
        return np.stack([[part.numpy() for part in step] for step in steps], axis=1).reshape(2, STEPS, -1)
    from harness.brownian.jax_noise import draw, noise_argument

    key = noise_argument(case, 4, GRID, None, levy_area=True)
    every, one = draw(key, 0, STEPS, case, 4, GRID, levy_area=True), draw(key, 5, 1, case, 4, GRID, levy_area=True)
    assert isinstance(every, tuple)
    assert isinstance(one, tuple)
    (W, H), (one_W, one_H) = every, one
    assert jax.numpy.array_equal(one_W[0], W[5])
    assert jax.numpy.array_equal(one_H[0], H[5])
    return np.asarray([W, H]).reshape(2, STEPS, -1)


@pytest.mark.parametrize("backend", ["torch", "jax"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_moments(make_case, backend, dtype):
    """W ~ N(0, h), H ~ N(0, h/12), all independent: each moment within 5 standard errors."""
    case = make_case(method=f"{backend}/backprop", brownian="own", dim=4, batch=2500, steps=STEPS, dtype=dtype)
    W, H = drawn(backend, case).astype(float)
    z = np.concatenate([W * np.sqrt(STEPS), H * np.sqrt(12 * STEPS)])
    numbers = z.shape[1]
    assert np.abs(z.mean(-1)).max() < 5 / np.sqrt(numbers)
    assert np.abs(z.var(-1) - 1).max() < 5 * np.sqrt(2 / numbers)
    assert np.abs(np.corrcoef(z) - np.eye(2 * STEPS)).max() < 5 / np.sqrt(numbers)
