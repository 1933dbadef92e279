"""The bare work of a gradient, JAX: a floor for the time of any method."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.lazy import lazily
from harness.method import AbstractGradientMethod, Gradient
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme

if TYPE_CHECKING:
    import jax
    import jax.numpy as jnp
    from jaxtyping import Array, Float, Int, Key, PyTree

    from harness.brownian import jax_noise, jax_normals
    from harness.methods.jax import _compile, _solve

    _Carry: TypeAlias = tuple[Float[Array, "batch dim"], PyTree]
    """The point of the next evaluation, and ∂L/∂θ so far."""
else:
    jax, jnp, jax_noise, jax_normals, _compile, _solve = lazily(
        "jax",
        "jax.numpy",
        "harness.brownian.jax_noise",
        "harness.brownian.jax_normals",
        "harness.methods.jax._compile",
        "harness.methods.jax._solve",
    )


class Floor(AbstractGradientMethod):
    """As many evaluations of f and g and as many vector–Jacobian products as backprop needs, and one draw of the noise.

    No solver: the evaluations are near y0, each moved by a hair that depends on the one before, so that the compiler
    can't merge them. Its gradient means nothing; it is summed so that nothing is left out.
    """

    name = "jax/floor"
    framework = "jax"
    summary = "the bare evaluations, products and noise; no solver (a floor, not a method)"
    baseline = True
    step_seconds = 2.2e-5

    def unsupported(self, case: Case) -> str | None:
        """It draws its own noise."""
        return "the floor draws its own noise" if case.brownian == "shared" else None

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        return _compile.compile_gradient(_gradient, _solve.JaxSolve(problem, scheme, case), path)


def _gradient(
    solve: _solve.JaxSolve, y0: Float[Array, "batch dim"], theta: PyTree, noise: Key[Array, ""] | None
) -> tuple[Float[Array, ""], PyTree, Float[Array, "batch dim"]]:
    """One scan."""
    size = jax_noise.chunk_size(solve.steps, solve.case.batch * solve.problem.noise_dim)
    shape = (size, solve.case.batch, solve.problem.noise_dim)

    def chunk(carry: _Carry, first: Int[Array, ""]) -> tuple[_Carry, None]:
        normals = None
        if noise is not None:
            key = jax.random.fold_in(noise, first)
            normals = jax_normals.standard_normals(key, math.prod(shape), solve.case.dtype).reshape(shape)
        return jax.lax.scan(step, carry, (first + jnp.arange(size), normals))

    def step(
        carry: _Carry, inputs: tuple[Int[Array, ""], Float[Array, "batch noise_dim"] | None]
    ) -> tuple[_Carry, None]:
        (y, theta_bar), (n, dW) = carry, inputs
        of_f, of_g = solve.scheme.work(solve.problem.noise)
        for k in range(max(of_f, of_g)):

            def f_and_g(y: Float[Array, "batch dim"], theta: PyTree, k: int = k) -> list[Float[Array, "rows ..."]]:
                terms = solve.terms(theta)
                return [
                    value
                    for function, count in ((terms.f, of_f), (terms.g, of_g))
                    if k < count and (value := function(solve.time(n), y)) is not None
                ]

            values, vjp = jax.vjp(f_and_g, y, theta)
            y_bar, product = vjp(jax.tree.map(jnp.ones_like, values))
            # Values, products and noise all enter the next evaluation, so that none is dead code.
            hair = y_bar + sum(value.sum() for value in values)
            if dW is not None:
                hair = hair + dW.sum(1, keepdims=True)
            y, theta_bar = y0 + 1e-6 * hair, _solve.add(theta_bar, product)
        return (y, theta_bar), None

    (y, theta_bar), _ = jax.lax.scan(chunk, (y0, _solve.zeros(theta)), jnp.arange(0, solve.steps, size))
    return y.sum(), theta_bar, y
