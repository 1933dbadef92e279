"""`harness.torch` on a GPU: the processor's gradient, by kernels that are launched one by one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import harness.torch as native

pytestmark = pytest.mark.gpu


class Net(nn.Module):
    noise_type, sde_type = "diagonal", "stratonovich"

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.drift, self.diffusion = nn.Linear(3, 3).double(), nn.Linear(3, 3).double()

    def f(self, t: Tensor, y: Tensor) -> Tensor:
        return torch.tanh(self.drift(y)) * torch.cos(t)

    def g(self, t: Tensor, y: Tensor) -> Tensor:
        return 0.3 * torch.sigmoid(self.diffusion(y)) + 0 * t


@pytest.mark.parametrize("approach", ["backprop", "reversible", "checkpoint", "adjoint"])
def test_a_given_path_has_the_processors_gradient(approach):
    steps = 16
    torch.manual_seed(1)
    dW = torch.randn(steps, 5, 3, dtype=torch.float64) / steps**0.5
    found = []
    for device in ("cpu", "cuda"):
        sde, path = Net().to(device), dW.to(device)
        y0 = torch.linspace(-1, 1, 15, dtype=torch.float64, device=device).reshape(5, 3).requires_grad_()

        def bm(t0: float, t1: float, path: Tensor = path) -> Tensor:
            return path[round(t0 * steps)]

        ys = native.sdeint(sde, y0, [0.0, 0.5, 1.0], method=approach, scheme="reversible-heun", steps=steps, bm=bm)
        found.append([x.cpu() for x in torch.autograd.grad(ys.pow(2).sum(), [y0, *sde.parameters()])])
    for x, y in zip(*found, strict=True):
        torch.testing.assert_close(x, y, rtol=1e-12, atol=1e-12)


def test_a_seed_is_a_path():
    sde = Net().cuda()
    y0 = torch.zeros(5, 3, dtype=torch.float64, device="cuda")
    first, again, other = (native.sdeint(sde, y0, [0.0, 1.0], steps=8, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
