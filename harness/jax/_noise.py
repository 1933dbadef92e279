"""The Brownian increments of a user's solve: drawn from a key, or read off a path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from harness.clock import Clock
from harness.errors import shown
from harness.grid import Grid

THREEFRY = "threefry2x32"


@runtime_checkable
class Path(Protocol):
    """As `diffrax.AbstractPath` has it."""

    def evaluate(self, t0: Float[Array, ""], t1: Float[Array, ""]) -> Float[Array, "batch noise_dim"]:
        """W(t1) − W(t0)."""
        ...


Increment = Callable[[Float[Array, ""], Float[Array, ""]], Float[Array, "batch noise_dim"]]
"""(t0, t1) -> W(t1) − W(t0)."""


def threefry(key: object) -> Key[Array, ""]:
    """The key as one of Threefry's, by which the native samplers draw. Raises ValueError where it is no key."""
    if not isinstance(key, jax.Array):
        raise ValueError(f"key is {shown(key)}; needed: a PRNG key, such as jax.random.key(0)")
    if not jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
        if key.dtype != jnp.uint32 or key.shape != (2,):
            raise ValueError(
                f"key is an array of shape {key.shape} and type {key.dtype}; needed: one PRNG key, typed or two uint32"
            )
        return jax.random.wrap_key_data(key, impl=THREEFRY)
    if key.shape != ():
        raise ValueError(f"key has shape {key.shape}; needed: one key, shape ()")
    if jax.random.key_impl(key) == THREEFRY:
        return key
    return jax.random.wrap_key_data(jax.random.bits(key, (2,), jnp.uint32), impl=THREEFRY)


def increments(
    path: Path | Increment, grid: Grid, shape: tuple[int, int], dtype: np.dtype
) -> Float[Array, "steps batch noise_dim"]:
    """dW of every step, by one query for all of them. `shape` is (batch, noise_dim).

    The path is called once, on traced scalar times, under `vmap`. Raises ValueError where its shape is another.
    """
    query = path.evaluate if isinstance(path, Path) else path
    if not callable(query):
        raise ValueError(f"path is {shown(path)}; needed: a function path(t0, t1), or an object with evaluate(t0, t1)")
    times = jnp.asarray(Clock(grid, str(dtype)).times, dtype)
    found = jax.eval_shape(query, times[0], times[1])
    if not isinstance(found, jax.ShapeDtypeStruct) or found.shape != shape:
        given = f"shape {found.shape}" if isinstance(found, jax.ShapeDtypeStruct) else shown(found)
        raise ValueError(f"the path gives {given}; needed: one array of shape (batch, noise_dim) = {shape}")
    return jax.lax.stop_gradient(jax.vmap(query)(times[:-1], times[1:]).astype(dtype))
