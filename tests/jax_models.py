"""Models in JAX that the tests share, small ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import lineax
import numpy as np
from jax.random import normal

import harness.jax
from harness.initial import draw
from harness.problems.gbm import GBM

TIMES = np.linspace(0.0, 1.0, 3)


class Field(eqx.Module):
    """One layer, with a leaf that is no array and one that has no derivative."""

    weight: jax.Array
    bias: jax.Array
    count: jax.Array
    activation: Callable[..., Any]

    def __init__(self, dim: int, out: int, key: jax.Array) -> None:
        self.weight = 0.5 * jax.random.normal(key, (out, dim))
        self.bias = jnp.full(out, 0.1)
        self.count, self.activation = jnp.arange(out), jnp.tanh

    def __call__(self, y: jax.Array) -> jax.Array:
        """(dim,) -> (out,)."""
        return self.activation(self.weight @ y + self.bias)


class Generator(eqx.Module):
    """Of two-dimensional noise, general."""

    f: Field
    g: Field
    start: jax.Array

    def __init__(self, key: jax.Array) -> None:
        a, b = jax.random.split(key)
        self.f, self.g, self.start = Field(3, 3, a), Field(3, 6, b), jnp.ones((3, 2))


def generated(model: Generator, diffeqsolve: Callable[..., Any], keys: jax.Array, noise: Callable[..., Any]) -> Any:
    """The states of all samples, (batch, times, dim), solved sample by sample as a user of diffrax does."""

    def sample(key: jax.Array, index: Any) -> jax.Array:
        y0 = model.start @ jax.random.normal(key, (2,))
        terms = diffrax.MultiTerm(
            diffrax.ODETerm(lambda _, y, __: model.f(y)),
            diffrax.ControlTerm(lambda _, y, __: model.g(y).reshape(3, 2), noise(key, index)),
        )
        return diffeqsolve(terms, diffrax.Heun(), 0, 1, 0.125, y0, saveat=diffrax.SaveAt(ts=jnp.asarray(TIMES))).ys

    return jax.vmap(sample)(keys, jnp.arange(len(keys)))


def brownian(key: jax.Array, index: Any) -> diffrax.AbstractBrownianPath:
    """The model's own."""
    del index
    return diffrax.VirtualBrownianTree(0, 1, tol=1e-2, shape=(2,), key=key)


def keys(batch: int) -> jax.Array:
    """One for each sample."""
    return jax.random.split(jax.random.key(1), batch)


@harness.jax.model
def generator(solve: Any, *, batch: int = 4) -> object:
    """A solve a sample, under `vmap`."""

    def loss(model: Generator) -> jax.Array:
        return jnp.mean(generated(model, solve.diffeqsolve, keys(batch), brownian)[:, 1:] ** 2)

    return loss, Generator(jax.random.key(0))


def latent_start(params: Any, y: Any) -> Any:
    """y0 with noise of its own."""
    return params["shift"] + 0.1 * y


def drift(params: Any, y: Any) -> Any:
    """f of the diagonal model."""
    return jnp.sin(y @ params["net"]["A"])


def diffusion(params: Any, y: Any) -> Any:
    """g of the diagonal model: g_i reads y_i."""
    return 0.3 + 0.1 * jnp.cos(params["net"]["b"] * y)


def diagonal_params() -> dict[str, Any]:
    """A tree as flax has it, with a leaf that is no array."""
    return {"net": {"A": 0.5 * jnp.eye(2) + 0.1, "b": jnp.array([1.0, 2.0]), "depth": 3}, "shift": jnp.array(0.2)}


@harness.jax.model
def diagonal(solve: Any, *, batch: int = 4, calculus: str = "stratonovich", draws: bool = True) -> object:
    """Diagonal noise of a batch; its times and random numbers are made within the loss."""

    def loss(params: Any) -> jax.Array:
        z = jax.random.normal(jax.random.key(3), (batch, 2)) if draws else jnp.linspace(-1, 1, batch * 2)
        ys = solve.sdeint(
            lambda _, y, __: drift(params, y),
            lambda _, y, __: diffusion(params, y),
            latent_start(params, z.reshape(batch, 2)),
            jnp.linspace(0.0, 1.0, 3),
            noise_type="diagonal",
            sde_type=calculus,
            dt=0.125,
        )
        return jnp.mean(ys[1:] ** 2)

    return loss, diagonal_params()


@harness.jax.model
def draws_by_name(solve: Any) -> object:
    """Its sampler was imported by name: what is done to `jax.random` doesn't reach it."""

    def loss(p: jax.Array) -> jax.Array:
        return jnp.mean(solve.odeint(lambda _, y, __: -p * y, normal(jax.random.key(3), (2, 2)), [0.0, 1.0], dt=0.5))

    return loss, jnp.array([0.1, 0.2])


@harness.jax.model
def backwards(solve: Any, *, batch: int = 3) -> object:
    """An ODE a sample, from t = 1 to t = 0, whose parameters are one array."""
    x = jnp.linspace(-1.0, 1.0, batch * 2).reshape(batch, 2)

    def loss(A: jax.Array) -> jax.Array:
        def one(x: jax.Array) -> jax.Array:
            term = diffrax.ODETerm(lambda t, y, A: jnp.tanh(A @ y) + t)
            return solve.diffeqsolve(term, diffrax.Tsit5(), 1, 0, -0.125, x, A).ys[-1]

        return jnp.mean(jax.vmap(one)(x) ** 2)

    return loss, jnp.array([[0.1, 0.5], [-0.5, 0.2]])


@harness.jax.model
def gbm(solve: Any, *, batch: int = 3, calculus: str = "ito", observations: int = 2) -> object:
    """The built-in problem as a model, with the same numbers."""
    problem = GBM(noise="scalar", calculus=calculus, dim=2)
    values = draw(problem, batch, 0)

    def loss(theta: Any) -> jax.Array:
        def f(t: Any, y: Any, args: Any) -> Any:
            return problem.drift(jnp, t, y, args)

        def g(t: Any, y: Any, args: Any) -> Any:
            return problem.diffusion(jnp, t, y, args)

        y0 = jnp.asarray(values.y0)
        ts = np.linspace(0.0, 1.0, observations + 1)
        ys = solve.sdeint(f, g, y0, ts, theta, noise_type="scalar", sde_type=calculus)
        return problem.loss(jnp, ys[1:])

    return loss, {name: jnp.asarray(value) for name, value in values.theta.items()}


@harness.jax.model
def weakly_diagonal(solve: Any) -> object:
    """A batch as one state of diffrax's, whose noise is diagonal."""

    def loss(params: Any) -> jax.Array:
        path = diffrax.VirtualBrownianTree(0, 1, tol=1e-2, shape=(4, 2), key=jax.random.key(7))

        def g(t: Any, y: Any, args: Any) -> Any:
            return lineax.DiagonalLinearOperator(diffusion(params, y))

        terms = diffrax.MultiTerm(diffrax.ODETerm(lambda _, y, __: drift(params, y)), diffrax.ControlTerm(g, path))
        y0 = latent_start(params, jnp.ones((4, 2)))
        solution = solve.diffeqsolve(terms, diffrax.Euler(), 0.0, 1.0, 0.125, y0)
        return jnp.mean(solution.ys**2)

    return loss, diagonal_params()


@harness.jax.model
def of_its_precision(solve: Any) -> object:
    """Another function in another precision."""

    def loss(p: jax.Array) -> jax.Array:
        ys = solve.odeint(lambda _, y, __: -p * y, jnp.ones((2, 2)), [0.0, 1.0])
        return jnp.mean(ys) + 1e7 * jnp.finfo(ys.dtype).eps * p.sum()

    return loss, jnp.array([0.1, 0.2])
