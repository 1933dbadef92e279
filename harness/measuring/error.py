"""The errors of one gradient: against the continuous reference, and against the discrete one."""

from __future__ import annotations

import numpy as np

from harness.gradient_arrays import GradientArrays, relative_error, relative_errors


def errors(found: GradientArrays, continuous: GradientArrays | None, discrete: GradientArrays) -> dict[str, float]:
    """By column of the record. `continuous` is the continuous reference: the gradient of the continuous-time problem.
    `discrete` is the discrete reference: the float64 gradient of the same discrete solve.

    Without `continuous` there are the errors against `discrete` alone.
    """
    parts = (
        ("theta", "y0") if discrete.y0.size else ("theta",)
    )  # a model's y0 is computed, and has no gradient asked for
    columns = {f"adjoint_error_{part}": relative_error(getattr(found, part), getattr(discrete, part)) for part in parts}
    if continuous is None:
        return columns
    against_continuous = relative_errors(found, continuous)
    for part in parts:
        columns[f"gradient_error_{part}"] = against_continuous[part]
        columns[f"gradient_cosine_{part}"] = cosine(getattr(found, part), getattr(continuous, part))
    return columns | {"loss_error": against_continuous["loss"]}


def cosine(x: np.ndarray, y: np.ndarray) -> float:
    """The cosine of the angle between two vectors: what an optimiser that normalises the gradient feels.

    1 where both vanish, not a number where one does.
    """
    norms = float(np.linalg.norm(x)) * float(np.linalg.norm(y))
    if norms == 0:
        return 1.0 if not x.any() and not y.any() else float("nan")
    return float(x @ y) / norms
