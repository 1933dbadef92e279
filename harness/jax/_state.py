"""States of any shape: the methods' own are (batch, dim), those of an ODE may be any tree of arrays."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree, PyTreeDef

from harness.errors import shown
from harness.jax._equation import Field


@dataclass(frozen=True)
class Form:
    """The structure of a state, and the shapes of its arrays.

    An array with two axes or more keeps the first as the batch, and the others become one. Anything else is one row.
    """

    structure: PyTreeDef  # pyright: ignore[reportInvalidTypeForm] - it has no stubs
    shapes: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, y0: PyTree) -> Form:
        """Raises ValueError where that is no state."""
        leaves, structure = jax.tree.flatten(y0)
        shapes = tuple(jnp.shape(x) for x in leaves)
        if not leaves or not all(map(math.prod, shapes)):
            raise ValueError(f"y0 is {shown(y0)}; needed: a tree of arrays, none of them empty")
        if len({jnp.asarray(x).dtype for x in leaves}) > 1:
            raise ValueError(
                f"the arrays of y0 have the types {', '.join(str(jnp.asarray(x).dtype) for x in leaves)};"
                " needed: one type"
            )
        return cls(structure, shapes)

    @property
    def plain(self) -> bool:
        """Whether the state is (batch, dim) as it is."""
        return self.structure == jax.tree.structure(0) and len(self.shapes[0]) == 2

    def pack(self, y: PyTree) -> Float[Array, "rows columns"]:
        """As one matrix. Raises ValueError where `y` has another form."""
        leaves, structure = jax.tree.flatten(y)
        shapes = tuple(jnp.shape(x) for x in leaves)
        if (structure, shapes) != (self.structure, self.shapes):
            raise ValueError(
                f"drift must give what y is, {self.structure} with shapes {self.shapes};"
                f" given: {structure} with shapes {shapes}"
            )
        if self.plain:
            return leaves[0]
        if len(leaves) > 1:
            return jnp.concatenate([jnp.ravel(x) for x in leaves])[None]
        rows = self.shapes[0][0] if len(self.shapes[0]) > 1 else 1
        return jnp.reshape(leaves[0], (rows, -1))

    def unpack(self, y: Float[Array, "*times rows columns"]) -> PyTree:
        """The state again; with `times` before each shape where there are any."""
        if self.plain:
            return y
        before = y.shape[:-2]
        flat, sizes = y.reshape((*before, -1)), list(map(math.prod, self.shapes))
        parts = [
            flat[..., end - size : end].reshape((*before, *shape))
            for size, end, shape in zip(sizes, itertools.accumulate(sizes), self.shapes, strict=True)
        ]
        return jax.tree.unflatten(self.structure, parts)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class OfMatrix:
    """A drift of the state as a function of the matrix. A tree, as the drift may be."""

    drift: Any
    form: Form = field(metadata={"static": True})

    def __call__(
        self, t: Float[Array, ""], y: Float[Array, "rows columns"], args: PyTree
    ) -> Float[Array, "rows columns"]:
        """Raises ValueError where the drift gives another form."""
        return self.form.pack(self.drift(t, self.form.unpack(y), args))


def of_matrix(drift: Field, form: Form) -> Field:
    """The drift itself where they are the same."""
    return drift if form.plain else OfMatrix(drift, form)
