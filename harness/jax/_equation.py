"""A user's SDE or ODE in the form that schemes and sweeps read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeGuard

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.extend.core import ClosedJaxpr, Jaxpr, jaxpr_as_fun
from jaxtyping import Array, ArrayLike, Float, PyTree, PyTreeDef

from harness.arrays import Namespace
from harness.errors import shown

Field = Callable[[Float[Array, ""], Float[Array, "batch dim"], PyTree], Float[Array, "rows ..."]]
"""(t, y, args) -> drift or diffusion."""
Leaves: TypeAlias = tuple[Array | None, ...]
"""The array leaves of (drift, diffusion, args) in order; None stands where a leaf is no array."""
Theta: TypeAlias = tuple[Leaves, tuple[Array, ...], tuple[Array, ...]]
"""These, and the traced arrays that drift and diffusion close over."""


@dataclass(frozen=True)
class Fields:
    """Drift, diffusion and args without their arrays: hashable, so that a program is compiled once for them.

    `structure` is that of the tree (drift, diffusion, args), whose leaves are in `theta` or, where they are no arrays,
    in `static`. A function is such a leaf. An `equinox.Module` is a tree, so it may be the drift itself.
    """

    structure: PyTreeDef  # pyright: ignore[reportInvalidTypeForm] - it has no stubs
    static: tuple[object, ...]

    @classmethod
    def split(cls, drift: Field, diffusion: Field | None, args: PyTree) -> tuple[Fields, Leaves]:
        """Raises ValueError where something is neither an array nor hashable."""
        leaves, structure = jax.tree.flatten((drift, diffusion, args))
        arrays = tuple(_strong(x) if _is_array(x) else None for x in leaves)
        fields = cls(structure, tuple(x if found is None else None for x, found in zip(leaves, arrays, strict=True)))
        try:
            hash(fields)
        except TypeError as error:
            raise ValueError(
                f"drift, diffusion and args may hold arrays and hashable objects, nothing else: {error}"
            ) from None
        return fields, arrays

    def joined(self, arrays: Leaves) -> tuple[Field, Field | None, PyTree]:
        """Drift, diffusion and args with these arrays."""
        leaves = [static if x is None else x for static, x in zip(self.static, arrays, strict=True)]
        return jax.tree.unflatten(self.structure, leaves)


@dataclass(frozen=True)
class Equation:
    """dY = f(t, Y) dt + g(t, Y) dW on [t0, t1]: what `Terms`, schemes and `JaxSolve` need of a problem, and no loss.

    `opened_drift` is the drift's jaxpr where it closes over traced arrays, `opened_diffusion` the diffusion's: these
    arrays are in θ then, since the derivative of a solve is taken by its arguments alone.
    """

    fields: Fields
    noise: str
    calculus: str
    dim: int
    noise_dim: int
    t0: float
    t1: float
    opened_drift: Jaxpr | None = None
    opened_diffusion: Jaxpr | None = None
    name: str = "the given equation"
    shares: bool = False  # f and g are two functions here

    @property
    def additive(self) -> bool:
        """Whether g is known not to depend on y."""
        return self.noise == "additive"

    @property
    def commutative(self) -> bool:
        """Whether the noise is known to commute. Of diagonal noise it isn't: g_i may read any y_j."""
        return self.noise in ("none", "additive", "scalar")

    def drift(
        self, xp: Namespace, t: Float[Array, ""], y: Float[Array, "batch dim"], theta: Theta
    ) -> Float[Array, "batch dim"]:
        """f."""
        del xp
        arrays, closed_over, _ = theta
        if self.opened_drift is not None:
            return _evaluated(self.opened_drift, closed_over, t, y, arrays)
        drift, _, args = self.fields.joined(arrays)
        return drift(t, y, args)

    def diffusion(
        self, xp: Namespace, t: Float[Array, ""], y: Float[Array, "batch dim"], theta: Theta
    ) -> Float[Array, "rows ..."]:
        """g, (batch, dim) for diagonal noise, else (batch, dim, noise_dim)."""
        del xp
        arrays, _, closed_over = theta
        if self.opened_diffusion is not None:
            return _evaluated(self.opened_diffusion, closed_over, t, y, arrays)
        _, diffusion, args = self.fields.joined(arrays)
        assert diffusion is not None  # an ODE's isn't asked for
        return diffusion(t, y, args)

    def correction(self, xp: Namespace, t: Float[Array, ""], y: Float[Array, "batch dim"], theta: Theta) -> None:
        """It isn't known in closed form."""
        del xp, t, y, theta


def equation(
    functions: tuple[Field, Field | None],
    args: PyTree,
    y0: Float[Array, "batch dim"],
    times: tuple[float, float],
    form: tuple[str, str],
) -> tuple[Equation, Theta]:
    """The equation and its arrays. `functions` are drift and diffusion, `form` is (noise, calculus).

    Traces both functions once on shapes alone: the number of Brownian motions is what the diffusion's shape tells.
    Raises ValueError where a shape or a precision is wrong.
    """
    noise, calculus = form
    fields, arrays = Fields.split(*functions, args)
    (batch, dim), dtype = y0.shape, y0.dtype

    def traced(place: int, rows: int) -> tuple[Jaxpr | None, tuple[Array, ...], PyTree]:
        def function(t: Float[Array, ""], y: Float[Array, "batch dim"], arrays: Leaves) -> Float[Array, "rows ..."]:
            *both, args = fields.joined(arrays)
            field = both[place]
            assert field is not None
            return field(t, y, args)

        t, y = jax.ShapeDtypeStruct((), dtype), jax.ShapeDtypeStruct((rows, dim), dtype)
        closed, found = jax.make_jaxpr(function, return_shape=True)(t, y, arrays)
        if any(isinstance(x, Tracer) for x in closed.consts):
            return closed.jaxpr, tuple(map(_strong, closed.consts)), found
        return None, (), found

    opened_drift, of_drift, found = traced(0, batch)
    _check("drift", found, (batch, dim), dtype)
    opened_diffusion, of_diffusion, noise_dim = None, (), 0
    if noise != "none":
        rows = 1 if noise == "additive" else batch  # additive noise is evaluated for one row alone: see `Terms.g`
        opened_diffusion, of_diffusion, found = traced(1, rows)
        noise_dim = {"scalar": 1, "diagonal": dim}.get(noise) or (getattr(found, "shape", None) or (0,))[-1]
        what = f"diffusion of {noise} noise" + (", given the first row of y alone," if noise == "additive" else "")
        _check(what, found, (rows, dim) if noise == "diagonal" else (rows, dim, noise_dim), dtype)
    found = Equation(fields, noise, calculus, dim, noise_dim, *times, opened_drift, opened_diffusion)
    return found, (arrays, of_drift, of_diffusion)


def _evaluated(
    jaxpr: Jaxpr, closed_over: tuple[Array, ...], t: Float[Array, ""], y: Float[Array, "batch dim"], arrays: Leaves
) -> Float[Array, "rows ..."]:
    return jaxpr_as_fun(ClosedJaxpr(jaxpr, closed_over))(t, y, *jax.tree.leaves(arrays))[0]


def _check(what: str, found: object, needed: tuple[int, ...], dtype: np.dtype) -> None:
    if not isinstance(found, jax.ShapeDtypeStruct):
        raise ValueError(f"the {what} gives {shown(found)}; needed: one array of shape {needed}")
    if found.shape != needed or not all(needed):
        names = "(batch, dim)" if len(needed) == 2 else "(batch, dim, noise_dim)"
        raise ValueError(f"the {what} has shape {found.shape}; needed: {names} = {needed}")
    if found.dtype != dtype:
        raise ValueError(f"the {what} is {found.dtype} where y0 is {dtype}; needed: the same precision")


def _is_array(x: object) -> TypeGuard[ArrayLike]:
    return isinstance(x, jax.Array) or (isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "biufc")


def _strong(x: ArrayLike) -> Array:
    """An array of JAX whose type is its own: a loop doesn't keep that of a Python number."""
    x = jnp.asarray(x)
    return jax.lax.convert_element_type(x, x.dtype) if getattr(x, "weak_type", False) else x  # a key has none
