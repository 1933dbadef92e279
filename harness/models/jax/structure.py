"""What is found of the noise of a model: whether g reads the state at all, and whether its noise commutes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import jax
import jax.numpy as jnp
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal
from jaxtyping import Array, Float

from harness.commuting import ROUNDING, STATES, Symmetry
from harness.jax._equation import Found


def structure_of(
    g: Callable[[Float[Array, ""], Float[Array, "batch dim"]], Array],
    noise: str,
    times: Sequence[float],
    y: Float[Array, "batch dim"],
    says: bool | None = None,
) -> Found:
    """By g's program, and by its derivatives at y and at random states around it, at these times.

    That g doesn't read y is read off its program: a derivative that only happens to be zero is none. Diagonal noise
    commutes where vᵀ ∂g/∂y is v times the diagonal for random v, at every state; general noise where
    `harness.commuting` says. A diffusion that `says` itself whether its noise commutes is believed.
    """
    at = jnp.asarray(times, y.dtype)
    closed = jax.make_jaxpr(g)(at[0], y)
    if not any(_depend(closed.jaxpr, [False, True])):
        return Found(reads_no_state=True)
    if says is not None:
        return Found(commutes=says)
    if noise == "diagonal":
        return Found(commutes=_own_entries(g, at, y))
    return Found(commutes=noise == "general" and _symmetric(g, at, y))


def _own_entries(
    g: Callable[[Array, Array], Array], times: Float[Array, " times"], y: Float[Array, "batch dim"]
) -> bool:
    """Whether g_i reads y_i alone."""

    @jax.jit
    def products(t: Array, y: Array, v: Array) -> tuple[Array, Array]:
        _, vjp = jax.vjp(lambda y: g(t, y), y)
        return vjp(v)[0], vjp(jnp.ones_like(y))[0]

    for t, state, key in _states(times, y):
        v = jax.random.normal(key, y.shape, y.dtype)
        product, diagonal = products(t, state, v)
        most = jnp.maximum(abs(product).max(), abs(diagonal).max())
        if not bool(abs(product - v * diagonal).max() <= ROUNDING * jnp.finfo(y.dtype).eps * most):
            return False
    return True


def _symmetric(g: Callable[[Array, Array], Array], times: Float[Array, " times"], y: Float[Array, "batch dim"]) -> bool:
    """Whether S(u, v) = S(v, u) for random u, v and w."""

    @jax.jit
    def asymmetry(t: Array, y: Array, key: Array) -> tuple[Array, Array]:
        value, vjp = jax.vjp(lambda y: g(t, y), y)
        batch, dim, columns = value.shape
        of_u, of_v, of_w = jax.random.split(key, 3)
        u, v = (jax.random.normal(key, (batch, 1, columns), y.dtype) for key in (of_u, of_v))
        w = jax.random.normal(of_w, (batch, dim, 1), y.dtype)

        def terms(u: Array, v: Array) -> Float[Array, "batch dim"]:
            return vjp(jnp.broadcast_to(w * u, value.shape))[0] * (value * v).sum(2)

        one, other = terms(u, v), terms(v, u)
        size = jnp.maximum(abs(one).sum(1), abs(other).sum(1)).max()
        return abs(one.sum(1) - other.sum(1)).max(), size

    symmetry = Symmetry(float(jnp.finfo(y.dtype).eps))
    for t, state, key in _states(times, y):
        difference, size = asymmetry(t, state, key)
        symmetry.see(float(difference), float(size))
        if symmetry.broken:
            break
    return symmetry.holds


def _states(
    times: Float[Array, " times"], y: Float[Array, "batch dim"]
) -> Iterator[tuple[Float[Array, ""], Float[Array, "batch dim"], Array]]:
    """Each time with y and with states around it, and a key to draw directions from."""
    key = jax.random.key(0)
    spread = max(float(jnp.std(y)), 1.0)
    for t in times:
        for number in range(STATES + 1):
            key, of_y, of_directions = jax.random.split(key, 3)
            yield t, y + spread * jax.random.normal(of_y, y.shape, y.dtype) if number else y, of_directions


def depends(closed: ClosedJaxpr) -> bool:
    """Whether any output of a program depends on any of its inputs."""
    return any(_depend(closed.jaxpr, [True] * len(closed.jaxpr.invars)))


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
