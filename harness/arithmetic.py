"""Linear combinations of arrays, in as few operations as their framework allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def axpy(a: Any, x: Any, y: Any) -> Any:
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


def scale(a: float, x: Any) -> Any:
    """a x, x itself where a is 1."""
    return x if a == 1 else a * x


def minus(weights: Sequence[float]) -> tuple[float, ...]:
    """Their negatives."""
    return tuple(-w for w in weights)


def combine(weights: Sequence[float], values: Sequence[Any], start: Any = None) -> Any:
    """`start` + Σ w_i v_i without the zero terms, equal weights being applied once to the sum.

    None where all weights are zero and there is no start.
    """
    total = start
    for weight in dict.fromkeys(w for w in weights if w != 0):
        group = [v for w, v in zip(weights, values, strict=False) if w == weight]
        part = group[0]
        for value in group[1:]:
            part = part + value
        total = scale(weight, part) if total is None else axpy(weight, part, total)
    return total
