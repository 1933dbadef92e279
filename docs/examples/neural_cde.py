"""A neural CDE in PyTorch, written for torchdiffeq: a classifier of time series that are seen at irregular times.

The series becomes a path X by cubic Hermite interpolation with backward differences, and the state z solves
dz/dt = F(z) dX/dt. Kidger et al. 2020, "Neural controlled differential equations for irregular time series"; the
interpolation is that of Morrill et al. 2021, "Neural controlled differential equations for online prediction tasks".

    python -m harness try docs/examples/neural_cde.py:neural_cde
"""

import torch
from torch import nn

import harness

CHANNELS = 3
"""The time and two coordinates."""


class HermitePath:
    """Cubics through the values xs, (batch, knots, channels); the slope at a knot is that of the interval before."""

    def __init__(self, knots, xs):
        self.knots, self.widths = knots, knots.diff()
        self.slopes = xs.diff(dim=1) / self.widths[:, None]
        self.before = torch.cat([self.slopes[:, :1], self.slopes[:, :-1]], 1)

    def derivative(self, t):
        """dX/dt, (batch, channels)."""
        i = (torch.searchsorted(self.knots, t) - 1).clamp(0, len(self.widths) - 1)
        s = (t - self.knots[i]) / self.widths[i]
        before, slope = self.before[:, i], self.slopes[:, i]
        return before + (4 * s - 3 * s**2) * (slope - before)


class NeuralCDE(nn.Module):
    def __init__(self, hidden, width):
        super().__init__()
        self.initial = nn.Linear(CHANNELS, hidden)
        layers = (nn.Linear(hidden, width), nn.ReLU(), nn.Linear(width, hidden * CHANNELS), nn.Tanh())
        self.field = nn.Sequential(*layers)
        self.readout = nn.Linear(hidden, 1)
        self.path = None

    def forward(self, t, z):
        """dz/dt, (batch, hidden)."""
        matrices = self.field(z).reshape(*z.shape, CHANNELS)
        return (matrices @ self.path.derivative(t)[:, :, None])[:, :, 0]

    def logits(self, knots, xs, odeint):
        """Of the series' class, (batch,)."""
        self.path = HermitePath(knots, xs)
        z = odeint(self, self.initial(xs[:, 0]), knots, method="rk4", options={"step_size": 0.02})
        return self.readout(z[-1])[:, 0]


def data(batch, knots=20):
    """Spirals, clockwise or not, (batch, knots, 3) with the time first, at times drawn once; and which are which."""
    rng = torch.Generator().manual_seed(0)
    ts = torch.cat([torch.zeros(1), torch.rand(knots - 2, generator=rng).sort().values, torch.ones(1)])
    clockwise = torch.arange(batch) % 2
    angle = (1 - 2 * clockwise[:, None]) * 6.28 * (ts + torch.rand(batch, 1, generator=rng))
    radius = 1.0 - 0.5 * ts
    xs = torch.stack([ts.expand(batch, -1), radius * angle.cos(), radius * angle.sin()], 2)
    return ts, xs + 0.02 * torch.randn(xs.shape, generator=rng) * torch.tensor([0.0, 1.0, 1.0]), clockwise.to(xs)


@harness.torch.model
def neural_cde(solve, *, batch=64, hidden=8, width=64):
    knots, xs, labels = data(batch)
    model = NeuralCDE(hidden, width)

    def loss():
        return nn.functional.binary_cross_entropy_with_logits(model.logits(knots, xs, solve.odeint), labels)

    return loss, model.parameters()
