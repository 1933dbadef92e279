"""A latent SDE in JAX, written for diffrax: an encoder, a posterior and a prior path, irregular observation times.

The loss is the evidence lower bound of Li et al. 2020, "Scalable gradients for stochastic differential equations",
section 5. The divergence of the posterior's path from the prior's is one more entry of the state, which has no noise.

    python -m harness try docs/examples/latent_sde_jax.py:latent_sde
"""

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import lineax
import numpy as np

import harness

CHANNELS, LATENT, NOISE = 3, 4, 0.1


class LatentSDE(eqx.Module):
    encoder: eqx.nn.GRUCell
    initial: eqx.nn.Linear
    posterior: eqx.nn.MLP
    prior: eqx.nn.MLP
    spreads: eqx.nn.MLP
    decoder: eqx.nn.Linear

    def __init__(self, width, key):
        keys = jax.random.split(key, 6)
        size = {"width_size": width, "depth": 1, "activation": jax.nn.softplus}
        self.encoder = eqx.nn.GRUCell(CHANNELS, width, key=keys[0])
        self.initial = eqx.nn.Linear(width, 2 * LATENT, key=keys[1])
        self.posterior = eqx.nn.MLP(LATENT + width, LATENT, **size, key=keys[2])
        self.prior = eqx.nn.MLP(LATENT, LATENT, **size, key=keys[3])
        self.spreads = eqx.nn.MLP("scalar", "scalar", **size, final_activation=jax.nn.sigmoid, key=keys[4])
        self.decoder = eqx.nn.Linear(LATENT, CHANNELS, key=keys[5])

    def f(self, t, y, context):
        """The posterior's drift, and the rate of the divergence: ½ |(posterior − prior) / g|²."""
        z, drift = y[:-1], self.posterior(jnp.concatenate([y[:-1], context]))
        u = (drift - self.prior(z)) / jax.vmap(self.spreads)(z)
        return jnp.append(drift, 0.5 * jnp.square(u).sum())

    def g(self, t, y, context):
        return lineax.DiagonalLinearOperator(jnp.append(jax.vmap(self.spreads)(y[:-1]), 0.0))


def data(batch, times=12):
    """Damped oscillations, seen with noise at times that are drawn once, (batch, times, 3)."""
    rng = np.random.default_rng(0)
    ts = np.concatenate([[0.0], np.sort(rng.uniform(0.02, 0.98, times - 2)), [1.0]])
    xs = np.exp(-ts[:, None]) * np.sin(6.28 * (ts[:, None] + rng.uniform(size=(batch, 1, CHANNELS))))
    return jnp.asarray(xs + NOISE * rng.normal(size=xs.shape), jnp.float32), ts


@harness.jax.model
def latent_sde(solve, *, batch=64, width=32):
    xs, ts = data(batch)
    keys = jax.random.split(jax.random.key(1), batch)

    def loss(model):
        def bound(x, key):
            context = jax.lax.scan(lambda h, x: (model.encoder(x, h), None), jnp.zeros(width), x[::-1])[0]
            mean, log_std = jnp.split(model.initial(context), 2)
            first, noise = jax.random.split(key)
            z0 = mean + jnp.exp(log_std) * jax.random.normal(first, (LATENT,))
            brownian = diffrax.VirtualBrownianTree(0.0, 1.0, tol=1e-3, shape=(LATENT + 1,), key=noise)
            terms = diffrax.MultiTerm(diffrax.ODETerm(model.f), diffrax.ControlTerm(model.g, brownian))
            saveat, y0 = diffrax.SaveAt(ts=ts), jnp.append(z0, 0.0)
            ys = solve.diffeqsolve(terms, diffrax.Euler(), 0.0, 1.0, 0.01, y0, context, saveat=saveat).ys
            misfit = jnp.square((jax.vmap(model.decoder)(ys[:, :-1]) - x) / NOISE).sum() / 2
            at_start = 0.5 * (jnp.exp(2 * log_std) + mean**2 - 1 - 2 * log_std).sum()
            return misfit + ys[-1, -1] + at_start

        return jax.vmap(bound)(xs, keys).mean()

    return loss, LatentSDE(width, jax.random.key(0))
