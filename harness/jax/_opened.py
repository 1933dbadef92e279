"""A function whose traced arrays, which it closes over, are made arguments: derivatives and `vmap` then see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
from jax.core import Tracer
from jax.extend.core import ClosedJaxpr, Jaxpr, jaxpr_as_fun
from jaxtyping import Array, PyTree


@dataclass(frozen=True, eq=False)
class Opened:
    """The function as a jaxpr. `places` are those of its traced arrays among all that several functions close over.

    `shape` is a tree of what it gives, in shapes.
    """

    jaxpr: Jaxpr
    places: tuple[int | None, ...]
    constants: tuple[Array | None, ...]
    shape: PyTree

    @classmethod
    def of(cls, function: Callable[..., PyTree], arguments: Sequence[PyTree], closed_over: dict[int, Array]) -> Opened:
        """Trace it on arguments like these. What it closes over is added to `closed_over`, by identity."""
        closed, shape = jax.make_jaxpr(function, return_shape=True)(*arguments)
        own = [x if isinstance(x, Tracer) else None for x in closed.consts]
        for x in own:
            if x is not None:
                closed_over.setdefault(id(x), x)
        order = list(closed_over)
        places = tuple(None if x is None else order.index(id(x)) for x in own)
        constants = tuple(x if place is None else None for x, place in zip(closed.consts, places, strict=True))
        return cls(closed.jaxpr, places, constants, shape)

    @property
    def reads_any(self) -> bool:
        """Whether it closes over a traced array at all."""
        return any(place is not None for place in self.places)

    def __call__(self, closed_over: Sequence[Array], *arguments: PyTree) -> PyTree:
        """What the function gives, the traced arrays being these."""
        constants = [
            constant if place is None else closed_over[place]
            for place, constant in zip(self.places, self.constants, strict=True)
        ]
        leaves = jaxpr_as_fun(ClosedJaxpr(self.jaxpr, constants))(*jax.tree.leaves(arguments))
        return jax.tree.unflatten(jax.tree.structure(self.shape), leaves)
