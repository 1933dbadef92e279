"""Vector fields of one sample, as diffrax's users write them, as functions of a batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import jax
from jaxtyping import Array, Float, PyTree

from harness.jax._equation import Field, says_of

Axes: TypeAlias = int | tuple["Axes", ...] | None
"""As in `jax.vmap`: which axis of an argument is mapped, None where it is the same for all samples."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PerSample:
    """A vector field mapped over the batch. A tree, as the vector field may be."""

    vector_field: Any
    args: Axes = field(metadata={"static": True})

    @property
    def commutes(self) -> bool | None:
        """What the vector field says."""
        return says_of(self.vector_field)

    def __call__(self, t: Float[Array, ""], y: Float[Array, "batch ..."], args: PyTree) -> Float[Array, "batch ..."]:
        """One time for all samples."""
        return jax.vmap(self.vector_field, (None, 0, self.args))(t, y, args)


def per_sample(vector_field: Field, *, args: Axes = None) -> Field:
    """Convert a drift or a diffusion of one sample, as in diffrax, into one of a batch, for `sdeint` and `odeint`.

    `vector_field(t, y, args)` takes the state of one sample, (dim,). It returns the drift, (dim,), or the diffusion:
    (dim,) for diagonal noise, (dim, noise_dim) for other noise; or both as a pair. The result takes `y` of shape
    (batch, dim). `args` is the axis of the samples in the argument `args`, like `in_axes` of `jax.vmap`: None if all
    samples share it, 0 if each sample has its own.
    """
    return PerSample(vector_field, args)
