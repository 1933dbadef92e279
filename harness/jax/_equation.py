"""A user's SDE or ODE in the form that schemes and sweeps read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeGuard

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, PyTree, PyTreeDef

from harness.arrays import Namespace
from harness.case import Case
from harness.commuting import declared
from harness.errors import shown
from harness.jax._opened import Opened
from harness.method import AbstractGradientMethod

Field = Callable[[Float[Array, ""], Float[Array, "batch dim"], PyTree], Float[Array, "rows ..."]]
"""(t, y, args) -> drift or diffusion."""
Both = Callable[[Float[Array, ""], Float[Array, "batch dim"], PyTree], tuple[Array, Array]]
"""(t, y, args) -> drift and diffusion, which may share work."""
Leaves: TypeAlias = tuple[Array | None, ...]
"""The array leaves of (drift, diffusion, both, args) in order; None stands where a leaf is no array."""
Theta: TypeAlias = tuple[Leaves, tuple[Array, ...]]
"""These, and the traced arrays that the functions close over."""


@dataclass(frozen=True)
class Functions:
    """Drift, diffusion (None for an ODE), and both together where they share work."""

    drift: Field
    diffusion: Field | None = None
    both: Both | None = None

    @classmethod
    def of(cls, drift: Field | None, diffusion: Field | None, both: Both | None) -> Functions:
        """Those of an SDE. What is missing is read off `both`. Raises ValueError where that is too little."""
        given = {"drift": drift, "diffusion": diffusion, "drift_and_diffusion": both}
        for name, function in given.items():
            if not callable(function) and (function is not None or (both is None and name != "drift_and_diffusion")):
                raise ValueError(f"{name} is {shown(function)}; needed: a function (t, y, args)")
        return cls(drift or PartOf(both, 0), diffusion or PartOf(both, 1), both)

    @property
    def says(self) -> bool | None:
        """What the diffusion says itself of its noise: whether it commutes. Raises ValueError where that is no bool."""
        return says_of(self.diffusion) if self.both is None else says_of(self.both)

    def each(self, change: Callable[[Any], Any]) -> Functions:
        """All of them that there are, changed."""
        diffusion, both = (None if f is None else change(f) for f in (self.diffusion, self.both))
        return Functions(change(self.drift), diffusion, both)


def says_of(function: object) -> bool | None:
    """A function's attribute `commutes`, or that of the object whose method it is. Raises ValueError."""
    own = declared(function)
    return declared(getattr(function, "__self__", None)) if own is None else own


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class PartOf:
    """The drift or the diffusion of a function that gives both. A tree, as that function may be."""

    both: Any
    place: int = field(metadata={"static": True})

    def __call__(self, t: Float[Array, ""], y: Float[Array, "batch dim"], args: PyTree) -> Float[Array, "rows ..."]:
        """One of the two."""
        return self.both(t, y, args)[self.place]


@dataclass(frozen=True)
class Found:
    """What is known of the noise beyond its type: `reads_no_state`, g(t, y) doesn't depend on y; `commutes`."""

    reads_no_state: bool = False
    commutes: bool = False


@dataclass(frozen=True)
class Fields:
    """The functions and args without their arrays: hashable, so that a program is compiled once for them.

    `structure` is that of the tree (drift, diffusion, both, args), whose leaves are in `theta` or, where they are no
    arrays, in `static`. A function is such a leaf. An `equinox.Module` is a tree, so it may be the drift itself.
    """

    structure: PyTreeDef  # pyright: ignore[reportInvalidTypeForm] - it has no stubs
    static: tuple[object, ...]

    @classmethod
    def split(cls, functions: Functions, args: PyTree) -> tuple[Fields, Leaves]:
        """Raises ValueError where something is neither an array nor hashable."""
        leaves, structure = jax.tree.flatten((functions.drift, functions.diffusion, functions.both, args))
        arrays = tuple(strong(x) if _is_array(x) else None for x in leaves)
        fields = cls(structure, tuple(x if found is None else None for x, found in zip(leaves, arrays, strict=True)))
        try:
            hash(fields)
        except TypeError as error:
            raise ValueError(
                f"drift, diffusion and args may hold arrays and hashable objects, nothing else: {error}"
            ) from None
        return fields, arrays

    def evaluated(self, place: int, t: Float[Array, ""], y: Float[Array, "batch dim"], arrays: Leaves) -> PyTree:
        """The drift (`place` 0), the diffusion (1) or both (2), with these arrays."""
        leaves = [static if x is None else x for static, x in zip(self.static, arrays, strict=True)]
        *functions, args = jax.tree.unflatten(self.structure, leaves)
        return functions[place](t, y, args)


@dataclass(frozen=True)
class Equation:
    """dY = f(t, Y) dt + g(t, Y) dW on [t0, t1]: what `Terms`, schemes and `JaxSolve` need of a problem, and no loss.

    `opened` are drift, diffusion and both, each where it closes over traced arrays: these arrays are in θ then, since
    the derivative of a solve is taken by its arguments alone.
    """

    fields: Fields
    noise: str
    calculus: str
    dim: int
    noise_dim: int
    t0: float
    t1: float
    shares: bool = False
    found: Found = Found()
    opened: tuple[Opened | None, Opened | None, Opened | None] = (None, None, None)
    name: str = "the given equation"

    @property
    def additive(self) -> bool:
        """Whether g is known not to depend on y."""
        return self.noise == "additive" or (self.found.reads_no_state and self.noise != "none")

    @property
    def commutative(self) -> bool:
        """Whether the noise is known to commute. Of diagonal noise it isn't by itself: g_i may read any y_j."""
        return self.additive or self.noise in ("none", "scalar") or self.found.commutes

    def unsuited(self, method: AbstractGradientMethod) -> str | None:
        """Any method takes it."""
        del method

    def refusal(self, method: AbstractGradientMethod, case: Case) -> str | None:
        """Why a method can't solve it, or None: what the method says."""
        return method.unsupported(case)

    def drift(
        self, xp: Namespace, t: Float[Array, ""], y: Float[Array, "batch dim"], theta: Theta
    ) -> Float[Array, "batch dim"]:
        """f."""
        del xp
        return self._evaluated(0, t, y, theta)

    def diffusion(
        self, xp: Namespace, t: Float[Array, ""], y: Float[Array, "batch dim"], theta: Theta
    ) -> Float[Array, "rows ..."]:
        """g, (batch, dim) for diagonal noise, else (batch, dim, noise_dim)."""
        del xp
        return self._evaluated(1, t, y, theta)

    def drift_and_diffusion(
        self, xp: Namespace, t: Float[Array, ""], y: Float[Array, "batch dim"], theta: Theta
    ) -> tuple[Float[Array, "batch dim"], Float[Array, "rows ..."]]:
        """Both together, where there is such a function."""
        if not self.shares:
            return self.drift(xp, t, y, theta), self.diffusion(xp, t, y, theta)
        f, g = self._evaluated(2, t, y, theta)
        return f, g

    def correction(self, xp: Namespace, t: Float[Array, ""], y: Float[Array, "batch dim"], theta: Theta) -> None:
        """It isn't known in closed form."""
        del xp, t, y, theta

    def _evaluated(self, place: int, t: Float[Array, ""], y: Float[Array, "batch dim"], theta: Theta) -> PyTree:
        arrays, closed_over = theta
        opened = self.opened[place]
        if opened is not None:
            return opened(closed_over, t, y, arrays)
        return self.fields.evaluated(place, t, y, arrays)


def equation(
    functions: Functions,
    args: PyTree,
    y0: Float[Array, "batch dim"],
    times: tuple[float, float],
    form: tuple[str, str],
    found: Found = Found(),
) -> tuple[Equation, Theta]:
    """The equation and its arrays. `form` is (noise, calculus).

    Traces the functions once: the number of Brownian motions is what the diffusion's shape tells.
    Raises ValueError where a shape or a precision is wrong.
    """
    noise, calculus = form
    fields, arrays = Fields.split(functions, args)
    (batch, dim), dtype = y0.shape, y0.dtype
    closed_over: dict[int, Array] = {}

    def traced(place: int, rows: int) -> tuple[Opened | None, PyTree]:
        def function(t: Float[Array, ""], y: Float[Array, "batch dim"], arrays: Leaves) -> PyTree:
            return fields.evaluated(place, t, y, arrays)

        t, y = jnp.zeros((), dtype), jnp.zeros((rows, dim), dtype)
        opened = Opened.of(function, (t, y, arrays), closed_over)
        return (opened if opened.reads_any else None), opened.shape

    opened_both, pair = None, None
    if functions.both is not None:
        opened_both, pair = traced(2, batch)
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise ValueError(f"drift_and_diffusion gives {shown(pair)}; needed: a pair, drift and diffusion")
    opened_drift, shape = traced(0, batch)
    _check("drift", shape, (batch, dim), dtype)
    opened_diffusion, noise_dim = None, 0
    if noise != "none":
        rows = 1 if noise == "additive" else batch  # additive noise is evaluated for one row alone: see `Terms.g`
        opened_diffusion, shape = traced(1, rows)
        noise_dim = {"scalar": 1, "diagonal": dim}.get(noise) or (getattr(shape, "shape", None) or (0,))[-1]
        what = f"diffusion of {noise} noise" + (", given the first row of y alone," if noise == "additive" else "")
        needed = (dim,) if noise == "diagonal" else (dim, noise_dim)
        _check(what, shape, (rows, *needed), dtype)
        if pair is not None:
            _check("drift of drift_and_diffusion", pair[0], (batch, dim), dtype)
            _check("diffusion of drift_and_diffusion", pair[1], (batch, *needed), dtype)
    shares = functions.both is not None
    opened = (opened_drift, opened_diffusion, opened_both)
    result = Equation(fields, noise, calculus, dim, noise_dim, *times, shares, found, opened)
    return result, (arrays, tuple(strong(x) for x in closed_over.values()))


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


def strong(x: ArrayLike) -> Array:
    """An array of JAX whose type is its own: a loop doesn't keep that of a Python number."""
    x = jnp.asarray(x)
    return jax.lax.convert_element_type(x, x.dtype) if getattr(x, "weak_type", False) else x  # a key has none
