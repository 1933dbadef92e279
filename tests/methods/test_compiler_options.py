"""XLA's options for a compiled gradient. What they are for, flat memory, is tested in tests/measuring."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from harness.methods.jax._compiler_options import compiler_options, widest_product


def repeated(product):
    """The lowered program of a scan over products of (8, 4) by (4, 32), and back."""

    def solve(x, w):
        return jax.lax.scan(lambda x, _: (product(x, w), None), x, None, length=3)[0]

    return jax.jit(solve).lower(jnp.ones((8, 4)), jnp.ones((4, 32)))


@pytest.mark.parametrize(
    ("product", "numbers"),
    [
        (lambda x, w: jnp.tanh(x @ w) @ w.T, 8 * 32),
        (lambda x, w: jax.vmap(lambda row: (row @ w) @ w.T)(x), 8 * 32),
        (lambda x, w: jax.vmap(lambda scale: scale * x @ w @ w.T)(jnp.arange(5.0)).sum(0), 5 * 8 * 32),
        (lambda x, w: x + jnp.einsum("bi,bj->ij", x, x).sum() + w.sum(), 0),  # as in the gradient of weights
    ],
)
def test_the_widest_product_is_found_inside_of_a_scan(product, numbers):
    assert widest_product(repeated(product).as_text()) == numbers


def test_narrow_products_and_several_threads_keep_the_defaults(make_case):
    def wide(x, w):
        return jnp.tanh(jnp.broadcast_to(x, (4096, *x.shape)) @ w).sum((0, 2))[:, None] + x

    case = {"method": "jax/backprop", "threads": 1}
    assert widest_product(repeated(wide).as_text()) >= 2**17
    assert compiler_options(make_case(**case), repeated(lambda x, w: x @ w @ w.T)) == {}
    assert compiler_options(make_case(**case | {"threads": 2}), repeated(wide)) == {}
    assert compiler_options(make_case(**case | {"device": "cuda"}), repeated(wide)) == {}
