"""What several problems say alike: the forms that they have, their dimensions, their noise matrix and their loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.arrays import A, Namespace

if TYPE_CHECKING:
    from jaxtyping import Float


def only(name: str, noise: str, *allowed: str) -> str | None:
    """Why the problem has no such noise, or None."""
    if noise in allowed:
        return None
    listed = " or ".join(filter(None, (", ".join(allowed[:-1]), allowed[-1])))
    return f"{name} is defined for noise {listed}, not {noise}"


def require_groups(name: str, dim: int, size: int) -> None:
    """Refuse a dimension that isn't a whole number of groups of `size`; raises ValueError."""
    if dim % size:
        raise ValueError(f"{name} is made of groups of {size} variables: dim must be a multiple of {size}, given {dim}")


def diagonal_matrix(xp: Namespace, diagonal: Float[A, " dim"], y: Float[A, "batch dim"]) -> Float[A, "batch dim dim"]:
    """A constant diagonal as additive noise has it: a matrix written out."""
    return xp.broadcast_to(xp.diag(diagonal)[None], (*y.shape, y.shape[1]))


def mean_squared_norm(ys: Float[A, "observations batch dim"]) -> Float[A, ""]:
    """|y|², averaged over observations and batch."""
    return (ys * ys).sum() / (ys.shape[0] * ys.shape[1])
