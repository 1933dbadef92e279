"""Brownian increments for the native JAX methods: O(1) memory, any step at any time."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from harness.brownian.path import SharedPath
from harness.case import Case

CHUNK_NUMBERS = 2**15  # about as many are drawn together: enough to hide the cost of a draw, little to hold
CHUNK_STEPS = 64


def noise_argument(case: Case, noise_dim: int, path: SharedPath | None) -> Any:
    """What a compiled method is called with: a key (own sampler), the increments of the path, or None (an ODE)."""
    if not noise_dim:
        return None
    if path is None:
        return jax.random.key(case.seed)
    return jnp.asarray(path.increments(case.steps)[0], dtype=case.dtype)


def draw(noise: Any, start: Any, count: int, case: Case, noise_dim: int, dt: float) -> Any:
    """dW of the steps `start … start + count − 1`, (count, batch, noise_dim), None for an ODE.

    Own sampler: Threefry, a counter-based generator, keyed by the step, so that the numbers of a step don't depend on
    how many are drawn together.
    """
    if noise is None:
        return None
    if not jnp.issubdtype(noise.dtype, jax.dtypes.prng_key):
        return jax.lax.dynamic_slice_in_dim(noise, start, count)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(noise, start + jnp.arange(count))
    normals = jax.vmap(lambda key: jax.random.normal(key, (case.batch, noise_dim), case.dtype))(keys)
    return normals * jnp.asarray(dt**0.5, case.dtype)


def chunk_size(count: int, numbers: int) -> int:
    """How many of `count` steps are drawn together, each of so many numbers: a divisor of `count`."""
    most = min(CHUNK_STEPS, count, max(1, CHUNK_NUMBERS // max(1, numbers)))
    return next(size for size in range(most, 0, -1) if count % size == 0)
