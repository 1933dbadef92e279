"""How many derivatives of a solve, or solves, are taken abreast, JAX."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Int

NUMBERS = 2**16  # about as many make up the states of one chunk


def chunks(count: int, numbers: int) -> Int[Array, "chunks length"]:
    """0 … count − 1 in rows of equal length, each index standing for so many numbers.

    The last row may run past the end, into indices that stand for nothing.
    """
    rows = -(-count // max(1, NUMBERS // numbers))
    return jnp.arange(rows * -(-count // rows)).reshape(rows, -1)
