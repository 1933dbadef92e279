"""The errors of one gradient: against the true one, and against that of the very same discrete solve."""

from __future__ import annotations

import numpy as np

from harness.gradient_arrays import GradientArrays, relative_error, relative_errors


def errors(found: GradientArrays, truth: GradientArrays | None, exact: GradientArrays) -> dict[str, float]:
    """By column of the record. `truth` is the continuous-time gradient, `exact` the discrete solve's, in float64.

    Without a `truth` there are the errors against `exact` alone.
    """
    of_method = {
        "adjoint_error_theta": relative_error(found.theta, exact.theta),
        "adjoint_error_y0": relative_error(found.y0, exact.y0),
    }
    if truth is None:
        return of_method
    against_truth = relative_errors(found, truth)
    return {
        "gradient_error_theta": against_truth["theta"],
        "gradient_error_y0": against_truth["y0"],
        "gradient_cosine_theta": cosine(found.theta, truth.theta),
        "gradient_cosine_y0": cosine(found.y0, truth.y0),
        **of_method,
        "loss_error": against_truth["loss"],
    }


def cosine(x: np.ndarray, y: np.ndarray) -> float:
    """The cosine of the angle between two vectors: what an optimiser that normalises the gradient feels.

    1 where both vanish, not a number where one does.
    """
    norms = float(np.linalg.norm(x)) * float(np.linalg.norm(y))
    if norms == 0:
        return 1.0 if not x.any() and not y.any() else float("nan")
    return float(x @ y) / norms
