"""The continuous adjoint of an Itô SDE of a user's own, written for torchsde: `harness.torch.sdeint` against torchsde.

Nobody says what the SDE's drift correction is or whether its noise commutes. torchsde takes for granted that entry i of
a diagonal g reads entry i of y alone, as it does in the first of the two kinds here.
"""

from __future__ import annotations

import pytest
import torch
import torchsde

import harness.torch

BATCH, STEPS, WIDTH = 32, 16, 32


class ItoSDE(torch.nn.Module):
    """Two-layer perceptrons; `by_entry`: g_i reads y_i alone, as in a latent SDE."""

    sde_type = "ito"

    def __init__(self, noise: str, dim: int, columns: int, by_entry: bool) -> None:
        super().__init__()
        self.noise_type, self.by_entry, self.shape = noise, by_entry, (dim, columns)
        outputs = dim if noise == "diagonal" else dim * columns
        layers = (torch.nn.Linear(dim, WIDTH), torch.nn.Tanh(), torch.nn.Linear(WIDTH, dim))
        self.drift = torch.nn.Sequential(*layers)
        self.spread = torch.nn.Sequential(torch.nn.Linear(dim, WIDTH), torch.nn.Tanh(), torch.nn.Linear(WIDTH, outputs))
        self.entries = torch.nn.Parameter(0.3 * torch.randn(3, dim, WIDTH))

    def f(self, t, y):
        return self.drift(y)

    def g(self, t, y):
        if self.by_entry:
            weights, biases, out = self.entries
            return torch.sigmoid((torch.tanh(y[:, :, None] * weights + biases) * out).sum(-1))
        found = 0.3 * torch.sigmoid(self.spread(y))
        return found if self.noise_type == "diagonal" else found.reshape(-1, *self.shape)


def by_harness(sde, y0, ts):
    return harness.torch.sdeint(sde, y0, ts, method="adjoint", scheme="euler", steps=STEPS, seed=1)


def by_torchsde(sde, y0, ts):
    path = torchsde.BrownianInterval(0.0, 1.0, size=(BATCH, sde.shape[1]), entropy=1)
    return torchsde.sdeint_adjoint(sde, y0, ts, bm=path, dt=1 / STEPS, method="euler")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("solve", [by_harness, by_torchsde])
@pytest.mark.parametrize("dim", [1, 8, 64])
@pytest.mark.parametrize(
    ("noise", "by_entry"),
    [("scalar", False), ("diagonal", True), ("diagonal", False), ("general", False)],
    ids=["scalar", "diagonal-by-entry", "diagonal", "general"],
)
def test_time(benchmark, noise, by_entry, dim, solve):
    """A gradient, forwards and backwards."""
    torch.manual_seed(0)
    columns = {"scalar": 1, "diagonal": dim, "general": 4}[noise]
    sde = ItoSDE(noise, dim, columns, by_entry)
    y0, ts = torch.randn(BATCH, dim), torch.tensor([0.0, 1.0])
    benchmark.group = f"Itô adjoint, {noise}{', by entry' if by_entry else ''}, dim {dim}"

    def gradient():
        sde.zero_grad()
        solve(sde, y0.clone().requires_grad_(), ts)[-1].pow(2).mean().backward()

    benchmark(gradient)
