"""What an SDE or an ODE of one's own is made of: its functions, and which noise it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from torch import Tensor

from harness.commuting import declared
from harness.errors import one_of, shown
from harness.torch._state import Form

NOISE_TYPES = ("additive", "scalar", "diagonal", "general")
SDE_TYPES = ("ito", "stratonovich")
METHODS = {"drift": "f", "diffusion": "g", "prior_drift": "h", "drift_and_diffusion": "f_and_g"}
"""torchsde's words for the methods of an SDE, and what they are called."""
PRODUCTS = {"diffusion_prod", "drift_and_diffusion_prod"}
"""Words of torchsde for methods that are not needed here."""
R = TypeVar("R")
Field = Callable[[Tensor, Tensor], Tensor]
"""(t, y) -> f or g, t a scalar and y (batch, dim)."""


@dataclass(frozen=True)
class RightHandSide:
    """f, g (None for an ODE) and both together where they share work; `owner` is what may be a module."""

    owner: object
    noise: str
    calculus: str
    f: Field
    g: Field | None = None
    both: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]] | None = None
    h: Field | None = None
    """The drift of a prior, where there is one."""
    reads_no_state: bool = False
    """Whether g is known not to read y, whatever its noise type is."""
    commutes: bool = False
    """Whether the noise is known to commute, whatever its noise type is."""
    declared: bool | None = None
    """What the SDE says of that itself, by an attribute `commutes`."""

    @classmethod
    def of_ode(cls, f: Callable[[Tensor, Any], Any], form: Form) -> RightHandSide:
        """dy/dt = f(t, y) for states of this form."""
        return cls(f, "none", "stratonovich", form.packed(f))

    @classmethod
    def of(cls, sde: object, names: Mapping[str, str] | None = None) -> RightHandSide:
        """In torchsde's convention, as are the names of methods that have another one. Raises ValueError."""
        named = METHODS | dict(names or {})
        if unknown := named.keys() - METHODS.keys() - PRODUCTS:
            raise ValueError(f"names has {shown(min(unknown))}; {one_of(METHODS)}")
        noise = checked_choice("sde.noise_type", getattr(sde, "noise_type", None), NOISE_TYPES)
        calculus = checked_choice("sde.sde_type", getattr(sde, "sde_type", None), SDE_TYPES)
        f, g, h, both = (getattr(sde, named[part], None) for part in METHODS)
        if both is not None:
            f, g = f or (lambda t, y: both(t, y)[0]), g or (lambda t, y: both(t, y)[1])
        if f is None or g is None:
            raise ValueError("sde must have f(t, y) and g(t, y), or f_and_g(t, y)")
        says = declared(sde)
        return cls(sde, noise, calculus, f, g, both, h, commutes=says is True, declared=says)

    def later(self, shift: float) -> RightHandSide:
        """f and g evaluated at t + shift."""
        f, g, both = (_later(function, shift) for function in (self.f, self.g, self.both))
        assert f is not None
        return replace(self, f=f, g=g, both=both)

    def noise_dim(self, t: Tensor, y: Tensor) -> int:
        """m: f and g are evaluated. Raises ValueError where one of them has a shape that it must not have."""
        batch, dim = y.shape
        f = shape_of("f", self.f(t, y), y)
        if f != y.shape:
            raise ValueError(f"f must give (batch, dim) = {(batch, dim)}; given: {f}")
        if self.g is None:
            return 0
        g = shape_of("g", self.g(t, y), y)
        if self.noise == "diagonal":
            if g != y.shape:
                raise ValueError(f"g of diagonal noise must give (batch, dim) = {(batch, dim)}; given: {g}")
        elif g[:-1] != y.shape or (g[-1] != 1 if self.noise == "scalar" else not g[-1]):
            columns = 1 if self.noise == "scalar" else "m"
            raise ValueError(f"g of {self.noise} noise must give ({batch}, {dim}, {columns}); given: {g}")
        if self.both is not None:
            pair = self.both(t, y)
            if len(pair) != 2 or [shape_of("f_and_g", x, y) for x in pair] != [f, g]:
                raise ValueError("f_and_g must give a pair: what f and what g give")
        return g[-1]


def _later(function: Callable[[Tensor, Tensor], R] | None, shift: float) -> Callable[[Tensor, Tensor], R] | None:
    return None if function is None else lambda t, y: function(t + shift, y)


def shape_of(name: str, value: object, y: Tensor) -> tuple[int, ...]:
    """The shape of a tensor of y's dtype. Raises ValueError where it is none."""
    if not isinstance(value, Tensor):
        raise ValueError(f"{name} must give a tensor; given: {type(value).__name__}")
    if value.dtype != y.dtype:
        raise ValueError(f"{name} must give what y is, {y.dtype}; given: {value.dtype}")
    return tuple(value.shape)


def checked_choice(what: str, given: object, allowed: Sequence[str]) -> str:
    """`given`, if it is allowed; else a ValueError that says so."""
    if given not in allowed:
        raise ValueError(f"{what} must be one of {', '.join(allowed)}; given: {given!r}")
    return str(given)
