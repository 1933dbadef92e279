"""A model of my own in JAX, for `python -m harness try my_thing.py:my_thing`."""

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import lineax

import harness


class Equation(eqx.Module):
    """dY = f dt + g dW for one sample, as diffrax takes it."""

    drift: eqx.nn.MLP
    diffusion: jax.Array

    def __init__(self, dim, width, key):
        self.drift = eqx.nn.MLP(dim, dim, width, depth=1, activation=jnp.tanh, key=key)
        self.diffusion = jnp.full(dim, 0.1)

    def f(self, t, y, args):  # y and f are (dim,)
        return self.drift(y)

    def g(self, t, y, args):  # a matrix (dim, m) for general noise
        return lineax.DiagonalLinearOperator(self.diffusion * jnp.cos(y))


@harness.jax.model
def my_thing(solve, *, batch=32, dim=4, width=32):  # settings: `--set batch=64,128` measures both
    # Everything here is done once.
    y0s = jax.random.normal(jax.random.key(0), (batch, dim))
    keys = jax.random.split(jax.random.key(1), batch)
    saveat = diffrax.SaveAt(ts=[0.25, 0.5, 0.75, 1.0])

    def loss(equation):
        # One solve for each sample. The arguments are diffrax's; the harness gives the Brownian path, the solver says
        # the calculus (Itô for Euler, Stratonovich for Heun), and dt0 says what to measure around.
        def sample(y0, key):
            path = diffrax.VirtualBrownianTree(0.0, 1.0, tol=1e-3, shape=(dim,), key=key)
            terms = diffrax.MultiTerm(diffrax.ODETerm(equation.f), diffrax.ControlTerm(equation.g, path))
            return solve.diffeqsolve(terms, diffrax.Heun(), 0.0, 1.0, 1 / 64, y0, saveat=saveat).ys

        return jnp.square(jax.vmap(sample)(y0s, keys)).mean()

    return loss, Equation(dim, width, jax.random.key(2))
