"""Central finite differences, JAX."""

from __future__ import annotations

from collections.abc import Callable

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import NATIVE_SAMPLERS, single_precision
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme


class FiniteDifferences(AbstractGradientMethod):
    """(L(x + ε) − L(x − ε)) / 2ε for every entry x of θ and of y0, on the same noise: the check of all others.

    It needs no derivative of anything. Error O(ε²) and rounding O(u / ε), which balance at ε = u^⅓ (Nocedal & Wright,
    "Numerical Optimization", 2006, section 8.1). Memory O(1), time two solves an entry.
    """

    name = "jax/finite-differences"
    framework = "jax"
    summary = "central differences on the same noise, two solves a parameter: a check, float64 only"
    samplers = NATIVE_SAMPLERS
    exact = False
    step_seconds = 1e-2

    def unsupported(self, case: Case) -> str | None:
        """Every scheme, in float64."""
        return single_precision(case)

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        from harness.methods.jax._compile import compile_gradient
        from harness.methods.jax._solve import JaxSolve

        return compile_gradient(_gradient, JaxSolve(problem, scheme, case), path)


def _gradient(solve, y0, theta, noise):
    """A chunk of entries at a time, both ends of each abreast."""
    import jax
    import jax.numpy as jnp
    from jax.flatten_util import ravel_pytree

    from harness.methods._support import DIFFERENCE
    from harness.methods.jax._abreast import chunks

    point, unravel = ravel_pytree((theta, y0))

    def loss(point):
        theta, y0 = unravel(point)
        return solve.problem.loss(jnp, solve.forward(y0, theta, noise)[1])

    def ends(index):
        """The point with one entry moved up and down, and the width between."""
        step = DIFFERENCE * jnp.maximum(1, jnp.abs(point[index]))
        up, down = point.at[index].add(step), point.at[index].add(-step)
        # What was added and taken away, not what was to be: x + ε is rounded.
        return jnp.stack([up, down]), up[index] - down[index]

    def slopes(indices):
        points, widths = jax.vmap(ends)(indices)
        losses = jax.vmap(jax.vmap(loss))(points)
        return (losses[:, 0] - losses[:, 1]) / widths

    rows = chunks(point.size, 2 * point.size)
    theta_bar, y0_bar = unravel(jax.lax.map(slopes, rows).reshape(-1)[: point.size])
    return loss(point), theta_bar, y0_bar
