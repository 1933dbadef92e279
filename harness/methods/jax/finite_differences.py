"""Central finite differences, JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.lazy import lazily
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._support import DIFFERENCE, NATIVE_SAMPLERS, single_precision
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp
    from jax import flatten_util
    from jaxtyping import Array, Float, Int, PyTree

    from harness.brownian.jax_noise import NoiseArgument
    from harness.methods.jax import _abreast, _compile, _solve
else:
    jax, jnp, flatten_util, _abreast, _compile, _solve = lazily(
        "jax",
        "jax.numpy",
        "jax.flatten_util",
        "harness.methods.jax._abreast",
        "harness.methods.jax._compile",
        "harness.methods.jax._solve",
    )


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
    step_seconds = 4.5e-3

    def unsupported(self, case: Case) -> str | None:
        """Every scheme, in float64."""
        return single_precision(case)

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        return _compile.compile_gradient(_gradient, _solve.JaxSolve(problem, scheme, case), path)


def _gradient(
    solve: _solve.JaxSolve, y0: Float[Array, "batch dim"], theta: PyTree, noise: NoiseArgument
) -> tuple[Float[Array, ""], PyTree, Float[Array, "batch dim"]]:
    """A chunk of entries at a time, both ends of each abreast."""
    point, unravel = flatten_util.ravel_pytree((theta, y0))

    def loss(point: Float[Array, " entries"]) -> Float[Array, ""]:
        theta, y0 = unravel(point)
        return solve.problem.loss(jnp, solve.forward(y0, theta, noise)[1])

    def ends(index: Int[Array, ""]) -> tuple[Float[Array, "2 entries"], Float[Array, ""]]:
        """The point with one entry moved up and down, and the width between."""
        step = DIFFERENCE * jnp.maximum(1, jnp.abs(point[index]))
        up, down = point.at[index].add(step), point.at[index].add(-step)
        # What was added and taken away, not what was to be: x + ε is rounded.
        return jnp.stack([up, down]), up[index] - down[index]

    def slopes(indices: Int[Array, " length"]) -> Float[Array, " length"]:
        points, widths = jax.vmap(ends)(indices)
        losses = jax.vmap(jax.vmap(loss))(points)
        return (losses[:, 0] - losses[:, 1]) / widths

    rows = _abreast.chunks(point.size, 2 * point.size)
    theta_bar, y0_bar = unravel(jax.lax.map(slopes, rows).reshape(-1)[: point.size])
    return loss(point), theta_bar, y0_bar
