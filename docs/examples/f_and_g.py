"""A neural SDE in PyTorch, written for torchsde, whose drift and diffusion share a trunk: `f_and_g`, general noise.

It generates time series. The loss is the squared maximum mean discrepancy between generated and observed series:
Gretton et al. 2012, "A kernel two-sample test". Kidger et al. 2021, "Neural SDEs as infinite-dimensional GANs", has the
model; there a discriminator takes the kernel's place.

    python -m harness try docs/examples/f_and_g.py:generator
"""

import torch
from torch import nn

import harness

DIM, MOTIONS = 3, 2


class Generator(nn.Module):
    noise_type, sde_type = "general", "stratonovich"

    def __init__(self, width):
        super().__init__()
        self.initial = nn.Linear(DIM, DIM)
        self.trunk = nn.Sequential(nn.Linear(DIM + 1, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.drift = nn.Linear(width, DIM)
        self.diffusion = nn.Linear(width, DIM * MOTIONS)
        self.readout = nn.Linear(DIM, 1)

    def f_and_g(self, t, y):
        """(batch, DIM) and (batch, DIM, MOTIONS), by one pass through the trunk."""
        features = self.trunk(torch.cat([t.expand(len(y), 1), y], 1))
        return self.drift(features).tanh(), self.diffusion(features).tanh().reshape(-1, DIM, MOTIONS)

    def forward(self, batch, ts, sdeint):
        """Series, (batch, times)."""
        ys = sdeint(self, self.initial(torch.randn(batch, DIM)), ts, method="heun", dt=0.02)
        return self.readout(ys)[:, :, 0].T


def discrepancy(xs, ys):
    """The squared maximum mean discrepancy of two samples, (batch, times) each, by Gaussian kernels of three widths."""

    def kernel(a, b):
        squares = (a[:, None] - b[None]).square().mean(2)
        return sum((-squares / (2 * width**2)).exp() for width in (0.3, 1.0, 3.0)).mean()

    return kernel(xs, xs) + kernel(ys, ys) - 2 * kernel(xs, ys)


def data(batch, times=9):
    """Ornstein–Uhlenbeck paths that a slow wave drives, (batch, times)."""
    rng = torch.Generator().manual_seed(0)
    ts = torch.linspace(0.0, 1.0, times)
    xs = [torch.randn(batch, generator=rng)]
    for t, dt in zip(ts, ts.diff(), strict=False):
        noise = dt.sqrt() * torch.randn(batch, generator=rng)
        xs.append(xs[-1] + (2 * (6.28 * t).sin() - xs[-1]) * dt + 0.5 * noise)
    return torch.stack(xs, 1), ts


@harness.torch.model
def generator(solve, *, batch=64, width=32):
    xs, ts = data(batch)
    model = Generator(width)
    return lambda: discrepancy(xs, model(batch, ts, solve.sdeint)), model.parameters()
