"""The forward gradient, JAX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.lazy import lazily
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._directions import directions
from harness.methods._support import NATIVE_SAMPLERS
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    from harness.methods.jax import _estimate, _solve
else:
    _estimate, _solve = lazily("harness.methods.jax._estimate", "harness.methods.jax._solve")


@dataclass(frozen=True, kw_only=True)
class ForwardGradient(AbstractGradientMethod):
    """Derivatives along random directions v of (θ, y0), each times its direction: (∇L · v) v, averaged.

    Baydin, Pearlmutter, Syme, Wood & Torr, "Gradients without backpropagation", 2022 (arXiv 2202.08587), section 3.1.
    Unbiased for the gradient of the discrete solve, since E[v vᵀ] = I. One forward solve with `directions` tangents
    beside it, memory O(1). The gradient tells its own `variance`, estimated, the mean over the coordinates.
    """

    name = "jax/forward-gradient"
    framework = "jax"
    summary = "derivatives along random directions: unbiased, noisy, in O(1) memory and no backward sweep"
    samplers = NATIVE_SAMPLERS
    exact = False
    directions: int = 16
    """How many, 2 at least."""
    step_seconds = 1.8e-4

    def __post_init__(self) -> None:
        """Refuse fewer than two: their variance would be unknown."""
        if self.directions < 2:
            raise ValueError(f"directions must be at least 2, given {self.directions}")

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Draw the directions, compile ahead of time."""
        solve = _solve.JaxSolve(problem, scheme, case)
        return _estimate.compile_estimate(solve, path, *directions(problem, case, path, self.directions))
