"""A float32 model in float64: the same numbers to start from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from harness.gradient_arrays import relative_error
from harness.models.torch.double import Double, double


def parts() -> tuple[nn.Module, list[Tensor], Callable[[], Tensor]]:
    """Layers of several kinds, data from several sources, and a loss that draws random numbers."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 4))
    gru = nn.GRU(4, 4)
    given = torch.from_numpy(np.linspace(0, 1, 4, dtype=np.float32))
    scale = nn.Parameter(torch.tensor([1.0, 2.0, 3.0, 0.1]))
    x = torch.randn(6, 4)

    def loss() -> Tensor:
        torch.manual_seed(1)
        z = x + 0.1 * torch.randn_like(x)
        state, _ = gru(z[None])
        y = net(z) * scale.float() + given + torch.zeros(4) + state[0]
        noise = torch.empty(6, 4).uniform_()
        return (y.square() * noise).mean() + torch.normal(0.0, torch.ones(3)).sum() * scale.sum()

    return net, [*net.parameters(), *gru.parameters(), scale, x, given], loss


def test_parameters_data_and_draws_are_those_of_the_model_as_it_is() -> None:
    """Every tensor has the same numbers; the loss and its gradient differ by the rounding of float32."""
    _, tensors, loss = parts()
    leaves = [p for p in tensors if p.requires_grad]
    found = torch.cat([g.flatten() for g in torch.autograd.grad(loss(), leaves)])
    _, doubled, doubled_loss = parts()
    double([x for x in doubled if x.requires_grad])
    assert all(torch.equal(one.double(), two.double()) for one, two in zip(tensors, doubled, strict=True))
    assert all(two.dtype == torch.float64 for two in doubled if two.requires_grad)
    with Double():
        value = doubled_loss()
        expected = torch.cat([g.flatten() for g in torch.autograd.grad(value, [p for p in doubled if p.requires_grad])])
    assert value.dtype == expected.dtype == torch.float64
    assert 0 < relative_error(found.numpy(), expected.numpy()) < 1e-5


def test_a_conversion_to_float32_does_nothing() -> None:
    """The precision of what follows is kept."""
    with Double():
        third = (torch.ones(1, dtype=torch.float64) / 3).float().to(torch.float32)
    assert third.dtype == torch.float64
    assert float(third) == 1 / 3


def test_a_buffer_that_is_changed_in_place_is_changed() -> None:
    """As BatchNorm changes its running mean."""
    norm, plain = torch.nn.BatchNorm1d(3), torch.ones(3)
    double([])
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    with Double():
        norm(x)
        plain.mul_(3).add_(1)
    assert norm.running_mean is not None
    assert norm.running_mean.dtype == torch.float64
    assert torch.allclose(norm.running_mean, 0.1 * x.double().mean(0))
    assert plain.tolist() == [4, 4, 4]
