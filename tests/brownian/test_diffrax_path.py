"""The shared path as diffrax asks for it, and what H is backwards in time."""

from __future__ import annotations

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from harness.brownian.diffrax_path import InjectedAtTicks, InjectedBrownian
from harness.brownian.path import SharedPath, coarsen

STEPS = 8
TIMES = jnp.linspace(0.5, 2.5, STEPS + 1)


@pytest.fixture
def injected():
    path = SharedPath(7, 4, 3, 0.5, 2.5)
    W, H = map(jnp.asarray, path.increments(STEPS))
    return InjectedBrownian(W=W, H=H, times=TIMES, t0=0.5, t1=2.5, levy_area=diffrax.SpaceTimeLevyArea)


def test_forward_queries(injected):
    for n in range(STEPS):
        t0, t1 = 0.5 + 0.25 * n, 0.75 + 0.25 * n
        area = injected.evaluate(t0, t1, use_levy=True)
        assert isinstance(area, diffrax.SpaceTimeLevyArea)
        np.testing.assert_array_equal(area.W, injected.W[n])
        np.testing.assert_array_equal(area.H, injected.H[n])
        np.testing.assert_array_equal(injected.evaluate(t0, t1), injected.W[n])
        assert float(area.dt) == 0.25


def test_a_backward_query_negates_the_increment_alone(injected):
    area = injected.evaluate(1.0, 0.75, use_levy=True)
    np.testing.assert_array_equal(area.W, -injected.W[1])
    np.testing.assert_array_equal(area.H, injected.H[1])
    assert float(area.dt) == -0.25


def test_diffrax_own_path_has_the_same_signs():
    shape = jax.ShapeDtypeStruct((3,), "float64")
    kind = {"t0": 0.0, "t1": 1.0, "tol": 2**-5, "shape": shape, "levy_area": diffrax.SpaceTimeLevyArea}
    tree = diffrax.VirtualBrownianTree(key=jax.random.key(1), **kind)
    there, back = (tree.evaluate(*times, use_levy=True) for times in ((0.25, 0.5), (0.5, 0.25)))
    assert isinstance(there, diffrax.SpaceTimeLevyArea)
    assert isinstance(back, diffrax.SpaceTimeLevyArea)
    np.testing.assert_allclose(back.W, -there.W, atol=1e-15)
    np.testing.assert_allclose(back.H, there.H, atol=1e-15)


def test_the_reversed_path_has_the_same_levy_area():
    """By Chen's relation over the steps in reverse order, and by the definition on a path run backwards.

    The mean of W_(1−s) − W_1 + s W_1 over 4096 points misses Σ dt H_i, of standard deviation dt/√12: 5 of them.
    """
    path = SharedPath(7, 20, 3)
    W, H = path.increments(1)
    fine_W, fine_H = path.increments(4096)
    reversed_W, reversed_H = -fine_W[::-1], fine_H[::-1]
    while len(reversed_W) > 1:
        reversed_W, reversed_H = coarsen(reversed_W, reversed_H)
    np.testing.assert_allclose(reversed_W, -W, atol=1e-14)
    np.testing.assert_allclose(reversed_H, H, atol=1e-14)
    values = np.concatenate([np.zeros((1, 20, 3)), (-fine_W[::-1]).cumsum(0)])
    bridge = values - np.linspace(0, 1, 4097)[:, None, None] * values[-1]
    assert np.abs(((bridge[1:] + bridge[:-1]) / 2).mean(0) - H[0]).max() < 5 / 4096 / np.sqrt(12)


def test_no_gradient_flows_into_the_path(injected):
    """BacksolveAdjoint would carry an adjoint as large as the path."""

    def total(W):
        path = InjectedBrownian(W=W, H=W, times=TIMES, t0=0.5, t1=2.5, levy_area=diffrax.SpaceTimeLevyArea)
        area = path.evaluate(0.5, 0.75, use_levy=True)
        assert isinstance(area, diffrax.SpaceTimeLevyArea)
        return area.W.sum() + area.H.sum()

    assert not jax.grad(total)(injected.W).any()


def test_at_ticks_it_is_one_path():
    """W is a function of time: increments add up, backwards too, and have no derivative."""
    path = SharedPath(7, 4, 3, 0.5, 2.5)
    W = jnp.asarray(np.concatenate([np.zeros((1, 4, 3)), np.cumsum(path.increments(STEPS)[0], axis=0)]))
    bm = InjectedAtTicks(W=W, times=TIMES, t0=0.5, t1=2.5)
    np.testing.assert_array_equal(bm.evaluate(0.75, 1.5), W[4] - W[1])
    np.testing.assert_array_equal(bm.evaluate(0.8, 1.45), W[4] - W[1])
    np.testing.assert_array_equal(bm.evaluate(1.5, 0.75), W[1] - W[4])
    increment = bm.evaluate(0.75, 1.5, use_levy=True)
    assert isinstance(increment, diffrax.BrownianIncrement)
    assert float(increment.dt) == 0.75

    def total(W):
        found = InjectedAtTicks(W=W, times=TIMES, t0=0.5, t1=2.5).evaluate(0.5, 2.5)
        assert isinstance(found, jax.Array)
        return found.sum()

    assert not np.asarray(jax.grad(total)(W)).any()
