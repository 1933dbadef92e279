"""The errors of one gradient: against the continuous reference, and against the discrete one."""

from __future__ import annotations

import numpy as np

from harness.gradient_arrays import GradientArrays, relative_error, relative_errors


def errors(found: GradientArrays, continuous: GradientArrays | None, discrete: GradientArrays) -> dict[str, float]:
    """By column of the record. `continuous` is the continuous reference: the gradient of the continuous-time problem.
    `discrete` is the discrete reference: the float64 gradient of the same discrete solve.

    Without `continuous` there are the errors against `discrete` alone.
    """
    of_method = {
        "adjoint_error_theta": relative_error(found.theta, discrete.theta),
        "adjoint_error_y0": relative_error(found.y0, discrete.y0),
    }
    if continuous is None:
        return of_method
    against_continuous = relative_errors(found, continuous)
    return {
        "gradient_error_theta": against_continuous["theta"],
        "gradient_error_y0": against_continuous["y0"],
        "gradient_cosine_theta": cosine(found.theta, continuous.theta),
        "gradient_cosine_y0": cosine(found.y0, continuous.y0),
        **of_method,
        "loss_error": against_continuous["loss"],
    }


def cosine(x: np.ndarray, y: np.ndarray) -> float:
    """The cosine of the angle between two vectors: what an optimiser that normalises the gradient feels.

    1 where both vanish, not a number where one does.
    """
    norms = float(np.linalg.norm(x)) * float(np.linalg.norm(y))
    if norms == 0:
        return 1.0 if not x.any() and not y.any() else float("nan")
    return float(x @ y) / norms
