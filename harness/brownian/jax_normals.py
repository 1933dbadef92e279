"""Standard normals for the native JAX samplers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp


def standard_normals(key: Any, count: int, dtype: str) -> Any:
    """Standard normals by Box and Muller's transform, (count,).

    jax.random.normal inverts the error function, which takes XLA several times as long to compile and to run.
    """
    half = (count + 1) // 2
    kind, used, mantissa = (jnp.uint32, 32, 24) if dtype == "float32" else (jnp.uint64, 64, 53)
    bits = jax.random.bits(key, (2, half), kind) >> (used - mantissa)
    # (k + ½) 2^−mantissa rounds to 1 at most, whose logarithm is 0, and is never 0.
    uniform = (bits.astype(dtype) + 0.5) * 2.0**-mantissa
    radius, angle = jnp.sqrt(-2 * jnp.log(uniform[0])), (2 * jnp.pi) * uniform[1]
    return jnp.concatenate([radius * jnp.cos(angle), radius * jnp.sin(angle)])[:count]
