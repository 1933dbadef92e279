"""A continuous normalizing flow in PyTorch, written for torchdiffeq: the density of points in the plane.

The state is the pair of a point and the change of its log density. The density's rate is a trace, exact or estimated by
Hutchinson's estimator with one noise vector a solve: Grathwohl et al. 2019, "FFJORD". Time runs from the data back to
the normal distribution.

    python -m harness try docs/examples/cnf.py:cnf --set trace=exact,hutchinson
"""

import torch
from torch import nn

import harness


class Gated(nn.Module):
    """A linear layer whose outputs are scaled and shifted by functions of time."""

    def __init__(self, entries, outputs):
        super().__init__()
        self.linear, self.of_time = nn.Linear(entries, outputs), nn.Linear(1, 2 * outputs)

    def forward(self, t, z):
        gate, shift = self.of_time(t.reshape(1)).chunk(2)
        return self.linear(z) * gate.sigmoid() + shift


class Flow(nn.Module):
    def __init__(self, width, trace):
        super().__init__()
        self.layers = nn.ModuleList([Gated(2, width), Gated(width, width), Gated(width, 2)])
        self.exact, self.noise = trace == "exact", None

    def velocity(self, t, z):
        for layer in self.layers[:-1]:
            z = layer(t, z).tanh()
        return self.layers[-1](t, z)

    def forward(self, t, state):
        """The rates of the point, (batch, 2), and of its log density, (batch, 1)."""
        z, _ = state
        with torch.enable_grad():
            z = z.requires_grad_()
            dz = self.velocity(t, z)
            if self.exact:
                rows = [torch.autograd.grad(dz[:, i].sum(), z, create_graph=True)[0][:, i] for i in range(2)]
                trace = torch.stack(rows).sum(0)
            else:
                product = torch.autograd.grad(dz, z, self.noise, create_graph=True)[0]
                trace = (product * self.noise).sum(1)
        return dz, -trace[:, None]

    def loss(self, x, odeint):
        """The mean negative log likelihood."""
        self.noise = torch.randint(0, 2, x.shape).to(x) * 2 - 1
        times = torch.tensor([1.0, 0.0])
        z, change = odeint(self, (x, x.new_zeros(len(x), 1)), times, method="rk4", options={"step_size": 0.05})
        base = torch.distributions.Normal(0.0, 1.0).log_prob(z[-1]).sum(1)
        return -(base - change[-1, :, 0]).mean()


def data(batch):
    """Points near two half circles, (batch, 2)."""
    rng = torch.Generator().manual_seed(0)
    angle, side = 3.14 * torch.rand(batch, generator=rng), torch.arange(batch) % 2
    x = torch.stack([angle.cos() + side - 0.5, (1 - 2 * side) * (angle.sin() - 0.25)], 1)
    return x + 0.1 * torch.randn(x.shape, generator=rng)


@harness.torch.model
def cnf(solve, *, batch=256, width=64, trace="exact"):
    x = data(batch)
    flow = Flow(width, trace)
    return lambda: flow.loss(x, solve.odeint), flow.parameters()
