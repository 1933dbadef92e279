"""`harness.torch`: states of any shape as torchdiffeq has them, and the divergence from a prior as torchsde has it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torchdiffeq
import torchsde
from torch import Tensor, nn

import harness.torch as native

ODEINT: Any = torchdiffeq.odeint
ODEINT_ADJOINT: Any = torchdiffeq.odeint_adjoint
SDEINT: Any = torchsde.sdeint
TS = torch.linspace(0.0, 1.0, 3, dtype=torch.float64)
STEPS = 8


class Convolution(nn.Module):
    """An ODE of images, (batch, channels, height, width)."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Conv2d(2, 2, 3, padding=1).double()

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return torch.tanh(self.layer(y)) * (1 + t)


class Flow(nn.Module):
    """A continuous normalising flow: z, (batch, dim), and the change of its log density, (batch,)."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2)).double()

    def forward(self, t: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        z = state[0]
        trace = sum(torch.func.vmap(torch.func.jacrev(self.net))(z)[:, i, i] for i in range(2))
        return self.net(z) * (1 + t), -trace * (1 + t)


class Scalar(nn.Module):
    """An ODE of a number."""

    def __init__(self) -> None:
        super().__init__()
        self.rate = nn.Parameter(torch.tensor(0.7, dtype=torch.float64))

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        return -self.rate * y + torch.sin(t)


def random(*shape: int) -> Tensor:
    torch.manual_seed(1)
    return torch.randn(shape, dtype=torch.float64, requires_grad=True)


CASES = [
    (Convolution, (random(3, 2, 4, 5),)),
    (Flow, (random(6, 2), random(6))),
    (Scalar, (random(),)),
    (Scalar, (random(5),)),
    (Scalar, (random(3, 2),)),
]


def gradients(states: Tensor | tuple[Tensor, ...], inputs: list[Tensor]) -> list[Tensor]:
    parts = (states,) if isinstance(states, Tensor) else states
    loss = sum((part * (n + 1)).square().sum() for n, part in enumerate(parts))
    assert isinstance(loss, Tensor)
    return list(torch.autograd.grad(loss, inputs, allow_unused=True, materialize_grads=True))


@pytest.mark.parametrize(("kind", "y0"), CASES, ids=["images", "flow", "number", "vector", "matrix"])
@pytest.mark.parametrize("method", ["backprop", "checkpoint", "adjoint"])
def test_states_and_gradients_are_torchdiffeqs(kind, y0, method):
    f = kind()
    state = y0 if len(y0) > 1 else y0[0]
    inputs = [*y0, *f.parameters()]
    ours = native.odeint(f, state, TS, method=method, scheme="midpoint", steps=STEPS)
    solve = ODEINT_ADJOINT if method == "adjoint" else ODEINT
    theirs = solve(f, state, TS, method="midpoint", options={"step_size": 1 / STEPS})
    assert isinstance(ours, Tensor) == isinstance(theirs, Tensor)
    torch.testing.assert_close(ours, theirs, rtol=1e-13, atol=1e-13)
    for x, y in zip(gradients(ours, inputs), gradients(theirs, inputs), strict=True):
        torch.testing.assert_close(x, y, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("method", ["reversible", "symplectic-adjoint", "recursive-checkpoint"])
def test_exact_methods_take_them_too(method):
    f, y0 = Flow(), (random(6, 2), random(6))
    scheme = "reversible-heun" if method == "reversible" else "heun"
    found, expected = (
        gradients(native.odeint(f, y0, TS, method=name, scheme=scheme, steps=STEPS), [*y0, *f.parameters()])
        for name in (method, "backprop")
    )
    for x, y in zip(found, expected, strict=True):
        torch.testing.assert_close(x, y, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    ("y0", "words"),
    [
        ((), "none of them empty; given: nothing"),
        (torch.zeros(0, 2, dtype=torch.float64), "none of them empty"),
        ((torch.zeros(2), "x"), r"given: \(2,\) torch.float32, str"),
        ((torch.zeros(2), torch.zeros(2, dtype=torch.float64)), "one dtype"),
        (3.0, "given: float"),
    ],
)
def test_what_is_no_state_is_refused(y0, words):
    with pytest.raises(ValueError, match=words):
        native.odeint(lambda _, y: y, y0, TS, steps=2)


def test_a_right_hand_side_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"f must give what y is, \(2, 3, 4\); given: \(2, 3, 1\)"):
        native.odeint(lambda _, y: y[:, :, :1], random(2, 3, 4), TS, steps=2)
    wrong: Any = lambda _, y: y[0]  # noqa: E731
    with pytest.raises(ValueError, match=r"f must give what y is, \(2,\), \(3,\); given: \(2,\)"):
        native.odeint(wrong, (random(2), random(3)), TS, steps=2)


class Latent(nn.Module):
    """A posterior with a context, and the drift h of its prior."""

    def __init__(self, noise_type: str, sde_type: str) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.noise_type, self.sde_type = noise_type, sde_type
        self.posterior, self.prior = nn.Linear(4, 3).double(), nn.Linear(3, 3).double()
        columns = {"diagonal": (3,), "scalar": (3, 1)}.get(noise_type, (3, 2))
        self.scale = nn.Parameter(torch.rand(columns, dtype=torch.float64) + 0.5)
        self.context = random(5, 1)

    def f(self, t: Tensor, y: Tensor) -> Tensor:
        return torch.tanh(self.posterior(torch.cat([y, self.context], 1)))

    def h(self, t: Tensor, y: Tensor) -> Tensor:
        return torch.tanh(self.prior(y))

    def g(self, t: Tensor, y: Tensor) -> Tensor:
        first = torch.sigmoid(y) if self.noise_type == "diagonal" else torch.sigmoid(y)[:, :, None]
        return self.scale * (torch.ones_like(first) if self.noise_type == "additive" else first)


@pytest.mark.parametrize("noise_type", ["additive", "scalar", "diagonal", "general"])
@pytest.mark.parametrize(("sde_type", "scheme"), [("ito", "euler"), ("stratonovich", "heun")])
@pytest.mark.parametrize("method", ["backprop", "checkpoint"])
def test_the_divergence_is_torchsdes(noise_type, sde_type, scheme, method):
    sde, y0 = Latent(noise_type, sde_type), random(5, 3)
    columns = {"diagonal": 4, "scalar": 1}.get(noise_type, 2)
    path = torchsde.BrownianInterval(0.0, 1.0, size=(5, columns), dtype=torch.float64, entropy=3)
    options = {"method": method, "scheme": scheme, "steps": STEPS, "bm": path}
    ours = native.sdeint(sde, y0, TS, logqp=True, **options)
    theirs = SDEINT(sde, y0, TS, bm=path, dt=1 / STEPS, method=scheme, logqp=True)
    assert ours[1].shape == (2, 5)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    inputs = [y0, sde.context, *sde.parameters()]
    for x, y in zip(gradients(ours, inputs), gradients(theirs, inputs), strict=True):
        torch.testing.assert_close(x, y, rtol=1e-11, atol=1e-11)


def test_the_divergence_needs_a_prior():
    class Plain(nn.Module):
        noise_type, sde_type = "diagonal", "ito"

        def f(self, t: Tensor, y: Tensor) -> Tensor:
            return -y

        g = f

    with pytest.raises(ValueError, match=r"sde must have h\(t, y\)"):
        native.sdeint(Plain(), random(5, 3), TS, logqp=True, steps=2)
