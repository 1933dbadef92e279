"""Reversible Heun's own sweeps, JAX: backwards, one evaluation of f and g a step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from harness.brownian.jax_noise import Index, NoiseArgument, chunk_size
from harness.methods.jax._solve import JaxSolve, Observed, Y, add
from harness.methods.jax._sweep import AbstractSweep
from harness.scheme import Noise, State, increment_of

_Increment: TypeAlias = Float[Array, "batch noise_dim"] | None
"""dW; None for an ODE."""
_Bars: TypeAlias = tuple[Y, Y, PyTree, _Increment]
"""The gradients by y, z and θ so far, and dW of the step that they stand before."""
_Values: TypeAlias = tuple[Y, Float[Array, "rows ..."] | None]
"""f and g."""


@dataclass(frozen=True)
class ReversibleHeunSweep(AbstractSweep):
    """Kidger et al. 2021 (arXiv 2105.13493), algorithms 1 and 2; `docs/methods/reversible.md` has the recursion.

    Scan forwards, keeping the observed states; scan backwards over the grid points N − 1 … 0. The evaluation of f and
    g that a reversed step needs serves the vector–Jacobian products of two forward steps too.
    """

    def forward(self, solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[Observed, PyTree]:
        """Keep the final state."""
        state, ys = solve.forward(y0, theta, noise)
        return ys, state

    def backward(
        self, solve: JaxSolve, theta: PyTree, noise: NoiseArgument, residual: PyTree, ys_bar: Observed
    ) -> tuple[Y, PyTree]:
        """Reconstruct the states on the way."""
        recursion, terms = _Recursion(solve, theta), solve.terms(theta)

        def body(carry: PyTree, n: Index, previous: Noise[Array], _: PyTree) -> tuple[PyTree, None]:
            (y, z, f, g), bars = carry
            dW, dt = bars[3], solve.dt(n)
            increment1 = terms.product(f, g, dt, dW)
            z = 2 * y - z - increment1
            (f, g), bars = recursion.back(n, z, increment_of(previous), bars, ys_bar)
            y = y - 0.5 * (increment1 + terms.product(f, g, dt, dW))
            return ((y, z, f, g), bars), None

        carry = (residual, recursion.last(residual[1], noise, ys_bar))
        (_, bars), _ = solve.scan(body, carry, noise, start=0, count=solve.steps, reverse=True, lag=1)
        return recursion.done(bars)


@dataclass(frozen=True)
class KeptHeunSweep(AbstractSweep):
    """The same products with every z kept instead of reconstructed. They read nothing else of the states."""

    def forward(self, solve: JaxSolve, y0: Y, theta: PyTree, noise: NoiseArgument) -> tuple[Observed, PyTree]:
        """Keep every z."""

        def step(state: State[Array], n: Index, dW: Noise[Array]) -> tuple[State[Array], Y]:
            return solve.step(n, state, theta, dW), state[1]

        state, ys, zs = solve.forwards(step, solve.init(y0, theta), noise)
        return ys, (state[1], zs)

    def backward(
        self, solve: JaxSolve, theta: PyTree, noise: NoiseArgument, residual: PyTree, ys_bar: Observed
    ) -> tuple[Y, PyTree]:
        """Read them."""
        recursion = _Recursion(solve, theta)

        def body(bars: _Bars, n: Index, previous: Noise[Array], z: Y) -> tuple[_Bars, None]:
            return recursion.back(n, z, increment_of(previous), bars, ys_bar)[1], None

        last, zs = residual
        size = chunk_size(solve.steps, solve.case.batch * solve.problem.noise_dim)
        bars, _ = solve.scan(
            body,
            recursion.last(last, noise, ys_bar),
            noise,
            start=0,
            count=solve.steps,
            inputs=zs.reshape(-1, size, *last.shape),
            reverse=True,
            lag=1,
        )
        return recursion.done(bars)


class _Recursion:
    """The recursion of the cotangents (ȳ, z̄, θ̄), whatever it is that knows z; dW, which two steps read, goes along."""

    def __init__(self, solve: JaxSolve, theta: PyTree) -> None:
        self.solve = solve
        self.theta = theta
        self.terms = solve.terms(theta)

    def back(self, n: Index, z: Y, previous: _Increment, bars: _Bars, cotangents: Observed) -> tuple[_Values, _Bars]:
        """f and g at z_n; and the cotangents before step n of those after it, with dW of step n − 1, `previous`."""
        y_bar, z_bar, theta_bar, dW = bars
        next_bar = z_bar + 0.5 * y_bar  # what f(z_n) dt_n + g(z_n) dW_n receives
        y_bar = y_bar + 2 * z_bar
        if self.solve.count > 1:
            observed, k = self.solve.observation(n)
            y_bar = y_bar + jnp.where((n > 0) & observed, cotangents[k], 0)
        own_bar = jnp.where(n > 0, 0.5 * y_bar, 0)  # what f(z_n) dt_(n−1) + g(z_n) dW_(n−1) receives
        values, vjp = self._evaluate(n, z)
        g_bar = None
        if previous is not None and dW is not None:
            g_bar = self.terms.noise_cotangent(own_bar, previous, 1, self.terms.noise_cotangent(next_bar, dW))
        product, theta_product = vjp((self._f_bar(n, next_bar, own_bar), g_bar))
        return values, (y_bar, product - z_bar, add(theta_bar, theta_product), previous)

    def last(self, z: Y, noise: NoiseArgument, cotangents: Observed) -> _Bars:
        """The cotangents at the end, with the last dW. The last evaluation enters y_N alone."""
        N = self.solve.steps
        y_bar = cotangents[-1]
        dW = jax.tree.map(lambda x: x[0], self.solve.draw(noise, N - 1, 1))
        _, vjp = self._evaluate(N, z)
        z_bar, theta_bar = vjp((0.5 * self.solve.dt(N - 1) * y_bar, self.terms.noise_cotangent(0.5 * y_bar, dW)))
        return y_bar, z_bar, theta_bar, dW

    def _f_bar(self, n: Index, next_bar: Y, own_bar: Y) -> Y:
        """What f(z_n) receives from the two increments that it enters."""
        dt = self.solve.dt(n)
        if self.solve.grid.equal_step is not None:
            return (next_bar + own_bar) * dt
        return next_bar * dt + own_bar * self.solve.dt(jnp.maximum(n - 1, 0))

    @staticmethod
    def done(bars: _Bars) -> tuple[Y, PyTree]:
        """∂L/∂y0 and ∂L/∂θ: z_0 = y_0."""
        y_bar, z_bar, theta_bar, _ = bars
        return y_bar + z_bar, theta_bar

    def _evaluate(self, n: Index, z: Y) -> tuple[_Values, Callable[..., tuple[Y, PyTree]]]:
        """f, g at grid point n and their vector–Jacobian product."""

        def f_and_g(z: Y, theta: PyTree) -> _Values:
            bound = self.solve.terms(theta)
            return bound.f_and_g(self.solve.time(n), z)

        return jax.vjp(f_and_g, z, self.theta)
