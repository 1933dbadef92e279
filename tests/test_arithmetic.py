"""Linear combinations and products, the same in every framework."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from harness.arithmetic import add_matmul, add_product, affine, axpy, combine, minus, rows_times

X, Y = np.array([1.0, -2.0, 3.0]), np.array([0.5, 0.25, -1.0])
MAKERS = [np.asarray, torch.tensor, jnp.asarray]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("a", [1, -1, 2, 0.3])
def test_axpy(make, a):
    np.testing.assert_allclose(np.asarray(axpy(a, make(X), make(Y))), Y + a * X, rtol=1e-15)


@pytest.mark.parametrize("make", MAKERS)
def test_products_added(make):
    generator = np.random.default_rng(0)
    a, b, y = (generator.normal(size=shape) for shape in [(3, 4), (4, 5), (3, 5)])
    np.testing.assert_allclose(np.asarray(add_product(make(X), -0.5, make(X), make(Y))), X - 0.5 * X * Y, rtol=1e-15)
    np.testing.assert_allclose(np.asarray(add_matmul(make(y), 2.0, make(a), make(b))), y + 2 * (a @ b), rtol=1e-13)


def test_axpy_by_a_traced_number():
    np.testing.assert_allclose(axpy(jnp.asarray(0.3), jnp.asarray(X), jnp.asarray(Y)), Y + 0.3 * X)


@pytest.mark.parametrize("make", MAKERS)
def test_combine(make):
    values = [make(X), make(Y), make(X)]
    np.testing.assert_allclose(np.asarray(combine((0.5, 2.0, 0.5), values)), X + 2 * Y)
    np.testing.assert_allclose(np.asarray(combine(minus((0.5, 0.0, 0.5)), values, make(Y))), Y - X)
    assert combine((0.0, 0.0), values) is None
    assert combine((), [], values[1]) is values[1]


def test_weights_beyond_the_values_are_left_out():
    found = combine((0.5, 2.0, 0.5), [X, Y])
    assert found is not None
    np.testing.assert_allclose(found, 0.5 * X + 2 * Y)


@pytest.mark.parametrize("make", MAKERS)
def test_affine(make):
    generator = np.random.default_rng(0)
    y, weights, biases = (generator.normal(size=shape) for shape in [(5, 4), (4, 3), (3,)])
    np.testing.assert_allclose(
        np.asarray(affine(make(y), make(weights), make(biases))), y @ weights + biases, rtol=1e-13, atol=1e-14
    )


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("m", [1, 3])
def test_rows_times(make, m):
    generator = np.random.default_rng(0)
    matrices, vectors = generator.normal(size=(5, 4, m)), generator.normal(size=(5, m))
    expected = np.einsum("bij,bj->bi", matrices, vectors)
    np.testing.assert_allclose(np.asarray(rows_times(make(matrices), make(vectors))), expected, rtol=1e-6)
