"""Reversible Heun's own backward sweep, JAX: one evaluation of f and g a step."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from harness.methods.jax._solve import JaxSolve, add


def reversible_heun_gradient(solve: JaxSolve, y0: Any, theta: Any, noise: Any) -> tuple[Any, Any, Any]:
    """Kidger et al. 2021 (arXiv 2105.13493), algorithms 1 and 2; `docs/methods/reversible.md` has the recursion.

    Scan forwards, keeping the observed states; scan backwards over the grid points N − 1 … 0. The evaluation of f and
    g that a reversed step needs serves the vector–Jacobian products of two forward steps too.
    """
    N, dt, stride = solve.steps, solve.dt, solve.stride
    terms = solve.terms(theta)

    def evaluate(n, z):
        """f, g at grid point n and their vector–Jacobian product."""

        def f_and_g(z, theta):
            bound = solve.terms(theta)
            return bound.f(solve.time(n), z), bound.g(solve.time(n), z)

        return jax.vjp(f_and_g, z, theta)

    def cotangent_of_g(bar, dW) -> Any:
        return None if dW is None else terms.noise_cotangent(bar, dW)

    def body(carry, n, dWs, _):
        y, z, f, g, y_bar, z_bar, theta_bar = carry
        dW, previous = (None, None) if dWs is None else dWs
        increment1 = terms.product(f, g, dt, dW)
        z = 2 * y - z - increment1
        next_bar = z_bar + 0.5 * y_bar  # what f(z_n) dt + g(z_n) dW_n receives
        y_bar = y_bar + 2 * z_bar
        if stride < N:
            observed = (n > 0) & (n % stride == 0)
            y_bar = y_bar + jnp.where(observed, cotangents[n // stride - 1], 0)
        own_bar = jnp.where(n > 0, 0.5 * y_bar, 0)  # what f(z_n) dt + g(z_n) dW_(n−1) receives
        (f, g), vjp = evaluate(n, z)
        g_bar = None if g is None else cotangent_of_g(next_bar, dW) + cotangent_of_g(own_bar, previous)
        product, theta_product = vjp(((next_bar + own_bar) * dt, g_bar))
        y = y - 0.5 * (increment1 + terms.product(f, g, dt, dW))
        return (y, z, f, g, y_bar, product - z_bar, add(theta_bar, theta_product)), None

    (y, z, f, g), ys = solve.forward(y0, theta, noise)
    loss, cotangents = solve.loss_cotangents(ys)
    y_bar = cotangents[-1]
    # The last evaluation enters y_N alone.
    last = solve.draw(noise, N - 1, 1)
    _, vjp = evaluate(N, z)
    g_bar = None if g is None else cotangent_of_g(0.5 * y_bar, last[0])
    z_bar, theta_bar = vjp((0.5 * dt * y_bar, g_bar))
    carry = (y, z, f, g, y_bar, z_bar, theta_bar)
    carry, _ = solve.scan(body, carry, noise, start=0, count=N, reverse=True, with_previous=True)
    y_bar, z_bar, theta_bar = carry[4:]
    return loss, theta_bar, y_bar + z_bar
