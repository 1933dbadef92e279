"""The forward solve alone, JAX: what a model's loss costs without its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.lazy import lazily
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    import jax.numpy as jnp
    from jaxtyping import Array, Float, PyTree

    from harness.brownian.jax_noise import NoiseArgument
    from harness.methods.jax import _compile, _solve
else:
    jnp, _compile, _solve = lazily("jax.numpy", "harness.methods.jax._compile", "harness.methods.jax._solve")


class Solve(AbstractGradientMethod):
    """The solve and its loss, nothing kept. The time of a gradient over its time is the price of the gradient.

    Its gradient is zero and means nothing.
    """

    name = "jax/solve"
    framework = "jax"
    summary = "the forward solve and its loss, without a gradient (a yardstick, not a method)"
    samplers = NATIVE_SAMPLERS
    baseline = True
    step_seconds = 1.5e-5

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        return _compile.compile_gradient(_loss_alone, _solve.JaxSolve(problem, scheme, case), path)


def _loss_alone(
    solve: _solve.JaxSolve, y0: Float[Array, "batch dim"], theta: PyTree, noise: NoiseArgument
) -> tuple[Float[Array, ""], PyTree, Float[Array, "batch dim"]]:
    """The loss, and zeros for its gradient."""
    _, ys = solve.forward(y0, theta, noise)
    return solve.problem.loss(jnp, ys), _solve.zeros(theta), jnp.zeros_like(y0)
