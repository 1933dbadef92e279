"""A latent SDE in PyTorch, written for torchsde: an encoder, a posterior and a prior path, irregular observation times.

The loss is the evidence lower bound of Li et al. 2020, "Scalable gradients for stochastic differential equations",
section 5. The posterior's drift reads a context that a GRU makes of the observations.

    python -m harness try docs/examples/latent_sde.py:latent_sde
"""

import torch
from torch import nn

import harness

CHANNELS, LATENT, NOISE = 3, 4, 0.1


def perceptron(entries, width, outputs, *last):
    return nn.Sequential(nn.Linear(entries, width), nn.Softplus(), nn.Linear(width, outputs), *last)


class LatentSDE(nn.Module):
    noise_type, sde_type = "diagonal", "ito"

    def __init__(self, width):
        super().__init__()
        self.encoder = nn.GRU(CHANNELS + 1, width, batch_first=True)
        self.posterior_y0 = nn.Linear(width, 2 * LATENT)
        self.prior_y0 = nn.Parameter(torch.zeros(2 * LATENT))
        self.posterior = perceptron(LATENT + width, width, LATENT)
        self.prior = perceptron(LATENT, width, LATENT)
        self.spreads = nn.ModuleList(perceptron(1, width, 1, nn.Sigmoid()) for _ in range(LATENT))
        self.decoder = nn.Linear(LATENT, CHANNELS)

    def encode(self, xs, ts):
        """The context, (batch, times, width), of each time and all later ones."""
        with_gaps = torch.cat([xs, ts.diff(prepend=ts[:1])[None, :, None].expand(len(xs), -1, 1)], 2)
        backwards, _ = self.encoder(with_gaps.flip(1))
        self.ts, self.context = ts, backwards.flip(1)

    def f(self, t, y):
        later = torch.searchsorted(self.ts, t, right=True).clamp(max=len(self.ts) - 1)
        return self.posterior(torch.cat([y, self.context[:, later]], 1))

    def h(self, t, y):
        return self.prior(y)

    def g(self, t, y):
        return torch.cat([net(entry) for net, entry in zip(self.spreads, y.split(1, 1), strict=True)], 1)

    def bound(self, xs, ts, sdeint):
        """The negative evidence lower bound, a mean over the batch."""
        self.encode(xs, ts)
        mean, log_std = self.posterior_y0(self.context[:, 0]).chunk(2, 1)
        initial = torch.distributions.Normal(mean, log_std.exp())
        prior = torch.distributions.Normal(self.prior_y0[:LATENT], self.prior_y0[LATENT:].exp())
        ys, divergences = sdeint(self, initial.rsample(), ts, logqp=True, method="euler", dt=0.01)
        likelihood = torch.distributions.Normal(self.decoder(ys).transpose(0, 1), NOISE).log_prob(xs)
        divergence = divergences.sum(0) + torch.distributions.kl_divergence(initial, prior).sum(1)
        return (divergence - likelihood.sum((1, 2))).mean()


def data(batch, times=12):
    """Damped oscillations, seen with noise at times that are drawn once, (batch, times, 3)."""
    rng = torch.Generator().manual_seed(0)
    ts = torch.cat([torch.zeros(1), torch.rand(times - 2, generator=rng).sort().values, torch.ones(1)])
    phases = 6.28 * torch.rand(batch, 1, CHANNELS, generator=rng)
    xs = (-ts[:, None]).exp() * torch.sin(6.28 * ts[:, None] + phases)
    return xs + NOISE * torch.randn(xs.shape, generator=rng), ts


@harness.torch.model
def latent_sde(solve, *, batch=64, width=32):
    xs, ts = data(batch)
    model = LatentSDE(width)
    return lambda: model.bound(xs, ts, solve.sdeint), model.parameters()
