"""Linear combinations and products of arrays, in as few operations as their framework allows."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from harness.arrays import A, Scalar

if TYPE_CHECKING:
    from jaxtyping import Float


def axpy(a: Scalar, x: A, y: A) -> A:
    """y + a x.

    PyTorch does it in one operation, `add` with `alpha`, without a temporary and without a tensor made of the number a;
    XLA fuses the plain expression.
    """
    if isinstance(a, float | int):
        if a == 1:
            return y + x
        if a == -1:
            return y - x
        add = getattr(y, "add", None)  # a tensor's method, which other arrays lack
        if add is not None:
            return add(x, alpha=a)
    return y + a * x


def scale(a: Scalar, x: A) -> A:
    """a x, x itself where a is the number 1."""
    return x if isinstance(a, float | int) and a == 1 else a * x


def minus(weights: Sequence[float]) -> tuple[float, ...]:
    """Their negatives."""
    return tuple(-w for w in weights)


@overload
def combine(weights: Sequence[float], values: Sequence[A], start: A, *, by: Scalar = None) -> A: ...
@overload
def combine(weights: Sequence[float], values: Sequence[A], start: None = None, *, by: Scalar = None) -> A | None: ...
def combine(weights: Sequence[float], values: Sequence[A], start: A | None = None, *, by: Scalar = None) -> A | None:
    """`start` + Σ w_i v_i without the zero terms, equal weights being applied once to the sum.

    `by` multiplies all weights, where it is given. None where all weights are zero and there is no start. Weights
    beyond the values are left out.
    """
    total = start
    for weight, places in _groups(tuple(weights[: len(values)])):
        part = values[places[0]]
        for place in places[1:]:
            part = part + values[place]
        factor = weight if by is None else weight * by
        total = scale(factor, part) if total is None else axpy(factor, part, total)
    return total


@functools.lru_cache
def _groups(weights: tuple[float, ...]) -> tuple[tuple[float, tuple[int, ...]], ...]:
    """The weights but zero, each once, with their places."""
    return tuple(
        (weight, tuple(i for i, w in enumerate(weights) if w == weight))
        for weight in dict.fromkeys(w for w in weights if w != 0)
    )


def add_product(y: A, weight: float, a: A, b: A) -> A:
    """y + weight a b, element by element; in PyTorch one operation."""
    addcmul = getattr(y, "addcmul", None)  # a tensor's method, which other arrays lack
    return y + weight * (a * b) if addcmul is None else addcmul(a, b, value=weight)


def add_matmul(y: Float[A, "n m"], weight: float, a: Float[A, "n k"], b: Float[A, "k m"]) -> Float[A, "n m"]:
    """y + weight a @ b of matrices; in PyTorch one operation."""
    addmm = getattr(y, "addmm", None)  # a tensor's method, which other arrays lack
    return y + weight * (a @ b) if addmm is None else addmm(a, b, alpha=weight)


def affine(y: Float[A, "batch n"], weights: Float[A, "n m"], biases: Float[A, " m"]) -> Float[A, "batch m"]:
    """y W + b, with y (batch, n), W (n, m) and b (m,); in PyTorch one operation, that of `torch.nn.Linear`."""
    addmm = getattr(biases, "addmm", None)  # a tensor's method, which other arrays lack
    return y @ weights + biases if addmm is None else addmm(y, weights)


def rows_times(matrices: Float[A, "batch n m"], vectors: Float[A, "batch m"]) -> Float[A, "batch n"]:
    """Each row's matrix times its vector: (batch, n, m) and (batch, m) to (batch, n).

    PyTorch's `@` takes half as long again as `bmm`, in which it ends. Where m is 1 a number will do for the vectors.
    """
    if matrices.shape[-1] == 1:
        return matrices[:, :, 0] * vectors
    bmm = getattr(matrices, "bmm", None)  # a tensor's method, which other arrays lack
    columns = vectors[:, :, None]
    return (matrices @ columns if bmm is None else bmm(columns))[:, :, 0]
