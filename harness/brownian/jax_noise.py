"""Brownian increments for the native JAX methods: O(1) memory, any step at any time."""

from __future__ import annotations

from typing import TypeAlias, TypeGuard

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from harness.brownian.jax_normals import standard_normals
from harness.brownian.jax_tree import JaxTree
from harness.brownian.path import SharedPath, increments_on
from harness.brownian.ticks import values
from harness.case import Case
from harness.grid import Grid
from harness.scheme import Noise
from harness.stepping import Stepping
from harness.stepping.ticks import Ticks

CHUNK_NUMBERS = 2**13  # about as many are drawn together: enough to hide the cost of a draw, little to hold
CHUNK_STEPS = 64

Index: TypeAlias = Int[Array, ""] | int
"""The number of a step, a grid point or a tick, traced or not."""
NoiseArgument: TypeAlias = (
    Key[Array, ""]
    | Float[Array, "times batch noise_dim"]
    | tuple[Float[Array, "steps batch noise_dim"], Float[Array, "steps batch noise_dim"]]
    | None
)
"""What a compiled method is called with: a key (own sampler, tree), values of the path, or None (an ODE).

The values of the path are W of every step of the grid, or the pair (W, H) where the scheme needs it; with adaptive
steps W at every tick.
"""


def noise_argument(
    case: Case, noise_dim: int, stepping: Stepping, path: SharedPath | None, *, levy_area: bool = False
) -> NoiseArgument:
    """What a compiled method is called with: see `NoiseArgument`. Without a `path` it is a key."""
    if not noise_dim:
        return None
    if path is None:
        return jax.random.key(case.seed, impl="threefry2x32")
    if not isinstance(stepping, Grid):
        return jnp.asarray(values(path, stepping.ticks), dtype=case.dtype)
    W, H = increments_on(path, stepping)
    if levy_area:
        return jnp.asarray(W, dtype=case.dtype), jnp.asarray(H, dtype=case.dtype)
    return jnp.asarray(W, dtype=case.dtype)


def at_tick(
    noise: NoiseArgument, tick: Index, case: Case, noise_dim: int, ticks: Ticks
) -> Float[Array, "batch noise_dim"] | None:
    """W at a tick of adaptive steps, of what `noise_argument` made; None for an ODE."""
    if noise is None:
        return None
    if is_key(noise):
        return JaxTree.at_ticks(ticks, noise, case, noise_dim).at(tick)
    assert not isinstance(noise, tuple)  # schemes that need H have fixed steps only
    return noise[tick]


def is_key(noise: NoiseArgument) -> TypeGuard[Key[Array, ""]]:
    """Whether the noise is to be drawn by one's own sampler or the tree."""
    return not isinstance(noise, tuple) and noise is not None and jnp.issubdtype(noise.dtype, jax.dtypes.prng_key)


def draw(
    noise: NoiseArgument,
    start: Index,
    count: int,
    case: Case,
    noise_dim: int,
    grid: Grid,
    *,
    levy_area: bool = False,
) -> Noise[Array]:
    """The noise of the steps `start … start + count − 1`: dW, (count, batch, noise_dim), or (dW, H); None for an ODE.

    Own sampler: Threefry, a counter-based generator, keyed by the step, so that the numbers of a step don't depend on
    how many are drawn together. The tree's cells are the steps. What lies outside of the path is some neighbour's dW:
    callers mask it.
    """
    if noise is None:
        return None
    steps = start + jnp.arange(count)
    if not is_key(noise):
        return jax.tree.map(lambda x: jnp.take(x, steps, axis=0, mode="clip"), noise)
    if case.brownian == "tree":
        return JaxTree.on(grid, noise, case, noise_dim, levy_area=levy_area).cells(steps)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(noise, steps)
    lengths: Float[Array, "count 1"] | float | None = grid.equal_step
    if lengths is None:
        lengths = jnp.take(jnp.asarray(grid.lengths, case.dtype), steps, mode="clip")[:, None]
    scales = (lengths**0.5, (lengths / 12) ** 0.5) if levy_area else (lengths**0.5,)
    numbers = case.batch * noise_dim
    normals = jax.vmap(lambda key: standard_normals(key, len(scales) * numbers, case.dtype))(keys)
    parts = tuple(
        (normals[:, k * numbers : (k + 1) * numbers] * jnp.asarray(scale, case.dtype)).reshape(
            count, case.batch, noise_dim
        )
        for k, scale in enumerate(scales)
    )
    return (parts[0], parts[1]) if levy_area else parts[0]


def chunk_size(count: int, numbers: int) -> int:
    """How many of `count` steps are drawn together, each of so many numbers: a divisor of `count`."""
    most = min(CHUNK_STEPS, count, max(1, CHUNK_NUMBERS // max(1, numbers)))
    return next(size for size in range(most, 0, -1) if count % size == 0)
