"""What is found of the noise of a model: whether g reads the state at all, and whether diagonal noise commutes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal
from jaxtyping import Array, Float

from harness.jax._equation import Found

STATES = 3
"""Random states at which g is differentiated."""
ROUNDING = 100.0
"""A derivative counts as zero up to so many units of rounding, relative to the largest."""


def structure_of(
    g: Callable[[Float[Array, ""], Float[Array, "batch dim"]], Array],
    noise: str,
    times: Sequence[float],
    y: Float[Array, "batch dim"],
) -> Found:
    """By g's program, and by its derivatives at y and at random states around it, at these times.

    That g doesn't read y is read off its program: a derivative that only happens to be zero is none. Diagonal noise
    commutes where vᵀ ∂g/∂y is v times the diagonal for random v, at every state.
    """
    at = jnp.asarray(times, y.dtype)
    closed = jax.make_jaxpr(g)(at[0], y)
    if not any(_depend(closed.jaxpr, [False, True])):
        return Found(reads_no_state=True)
    if noise != "diagonal":
        return Found()

    @jax.jit
    def products(t: Array, y: Array, v: Array) -> tuple[Array, Array]:
        _, vjp = jax.vjp(lambda y: g(t, y), y)
        return vjp(v)[0], vjp(jnp.ones_like(y))[0]

    key = jax.random.key(0)
    spread = max(float(jnp.std(y)), 1.0)
    for t in at:
        for number in range(STATES + 1):
            key, of_y, of_v = jax.random.split(key, 3)
            state = y + spread * jax.random.normal(of_y, y.shape, y.dtype) if number else y
            v = jax.random.normal(of_v, y.shape, y.dtype)
            product, diagonal = products(t, state, v)
            most = jnp.maximum(abs(product).max(), abs(diagonal).max())
            if not bool(abs(product - v * diagonal).max() <= ROUNDING * jnp.finfo(y.dtype).eps * most):
                return Found()
    return Found(commutes=True)


def _depend(jaxpr: Jaxpr, inputs: Sequence[bool]) -> list[bool]:
    """Which outputs depend on any of the inputs that are true.

    Where an operation has a program with the same inputs, such as that of a compiled function, it is followed. Of all
    others every output depends on every input.
    """
    known = {var for var, own in zip(jaxpr.invars, inputs, strict=True) if own}
    for eqn in jaxpr.eqns:
        own = [not isinstance(var, Literal) and var in known for var in eqn.invars]
        if any(own):
            known.update(var for var, depends in zip(eqn.outvars, _of(eqn, own), strict=True) if depends)
    return [not isinstance(var, Literal) and var in known for var in jaxpr.outvars]


def _of(eqn: object, own: Sequence[bool]) -> list[bool]:
    params, outputs = eqn.params, eqn.outvars  # pyright: ignore[reportAttributeAccessIssue] - it has no public type
    if eqn.primitive.name not in ("scan", "while", "cond"):  # pyright: ignore[reportAttributeAccessIssue]
        for value in params.values():
            inner = value.jaxpr if isinstance(value, ClosedJaxpr) else value
            if isinstance(inner, Jaxpr) and (len(inner.invars), len(inner.outvars)) == (len(own), len(outputs)):
                return _depend(inner, own)
    return [True] * len(outputs)
