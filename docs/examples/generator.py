"""A generator in JAX, written for diffrax: paths of a neural SDE with general noise that take on the law of data.

The vector fields take one sample, and the loss maps the solve over a batch. It is the generator of Kidger et al.
2021, "Neural SDEs as infinite-dimensional GANs" (arXiv 2102.03657); in place of a discriminator it has the energy
distance of generated and observed paths (Székely & Rizzo 2013).

    python -m harness try docs/examples/generator.py:generator
"""

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import harness

LATENT, NOISES, CHANNELS, TIMES = 4, 2, 2, 9


class Generator(eqx.Module):
    initial: eqx.nn.MLP
    drift: eqx.nn.MLP
    diffusion: eqx.nn.MLP
    readout: eqx.nn.Linear

    def __init__(self, width, key):
        keys = jax.random.split(key, 4)
        size, bounded = {"width_size": width, "depth": 1}, {"activation": jax.nn.silu, "final_activation": jnp.tanh}
        self.initial = eqx.nn.MLP(NOISES, LATENT, **size, key=keys[0])
        self.drift = eqx.nn.MLP(LATENT + 1, LATENT, **size, **bounded, key=keys[1])
        self.diffusion = eqx.nn.MLP(LATENT + 1, LATENT * NOISES, **size, **bounded, key=keys[2])
        self.readout = eqx.nn.Linear(LATENT, CHANNELS, key=keys[3])

    def f(self, t, y, args):
        return self.drift(jnp.append(y, t))

    def g(self, t, y, args):
        return self.diffusion(jnp.append(y, t)).reshape(LATENT, NOISES)


def energy_distance(xs, ys):
    """Of two samples of paths, (batch, times, channels): zero where their laws are the same."""

    def mean_distance(a, b):
        squares = jnp.square(a[:, None] - b[None]).sum((2, 3))
        return jnp.sqrt(squares + 1e-6).mean()

    return 2 * mean_distance(xs, ys) - mean_distance(xs, xs) - mean_distance(ys, ys)


def data(batch, ts):
    """Ornstein–Uhlenbeck paths around a sine, (batch, times, channels)."""
    rng, xs = np.random.default_rng(0), []
    x = rng.normal(size=(batch, CHANNELS))
    for dt, t in zip(np.diff(ts, prepend=ts[0]), ts, strict=True):
        x = x * np.exp(-dt) + 0.3 * np.sqrt(1 - np.exp(-2 * dt)) * rng.normal(size=x.shape)
        xs.append(x + np.sin(6.28 * t))
    return jnp.asarray(np.stack(xs, 1), jnp.float32)


@harness.jax.model
def generator(solve, *, batch=64, width=32):
    ts = np.linspace(0, 1, TIMES)
    observed, keys = data(batch, ts), jax.random.split(jax.random.key(1), batch)

    def loss(model):
        def path(key):
            start, noise = jax.random.split(key)
            brownian = diffrax.VirtualBrownianTree(0.0, 1.0, tol=1e-3, shape=(NOISES,), key=noise)
            terms = diffrax.MultiTerm(diffrax.ODETerm(model.f), diffrax.ControlTerm(model.g, brownian))
            y0, saveat = model.initial(jax.random.normal(start, (NOISES,))), diffrax.SaveAt(ts=ts)
            solution = solve.diffeqsolve(terms, diffrax.Heun(), 0.0, 1.0, 1 / 64, y0, saveat=saveat)
            return jax.vmap(model.readout)(solution.ys)

        return energy_distance(jax.vmap(path)(keys), observed)

    return loss, Generator(width, jax.random.key(0))
