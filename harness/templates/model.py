"""A model of my own, for `python -m harness try my_thing.py:my_thing`."""

import torch
from torch import nn

import harness


class Equation(nn.Module):
    """dY = f dt + g dW in torchsde's convention. For an ODE: a function f(t, y), and solve.odeint below."""

    noise_type = "diagonal"  # additive, scalar, diagonal or general
    sde_type = "ito"  # or stratonovich

    def __init__(self, dim, width):
        super().__init__()
        self.drift = nn.Sequential(nn.Linear(dim, width), nn.Tanh(), nn.Linear(width, dim))
        self.diffusion = nn.Parameter(0.1 * torch.ones(dim))

    def f(self, t, y):  # y and f are (batch, dim)
        return self.drift(y)

    def g(self, t, y):  # (batch, dim) for diagonal noise, (batch, dim, m) for other noise
        return self.diffusion * torch.cos(y)


@harness.torch.model
def my_thing(solve, *, batch=32, dim=4, width=32):  # settings: `--set batch=64,128` measures both
    # Everything here is done once. All random numbers are seeded.
    equation, y0 = Equation(dim, width), torch.randn(batch, dim)
    ts = torch.linspace(0, 1, 5)

    def loss():
        # One solve. The arguments are those of torchsde.sdeint; `dt` says what to measure around.
        ys = solve.sdeint(equation, y0, ts, dt=1 / 64)  # (len(ts), batch, dim)
        return ys.square().mean()

    return loss, equation.parameters()
