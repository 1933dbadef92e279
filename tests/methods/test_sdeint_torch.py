"""`harness.torch.sdeint` and `odeint`: the methods on modules and closures that the harness has not written."""

from __future__ import annotations

import math
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
import torchdiffeq
import torchsde
from torch import Tensor, nn

import harness.torch as native
from harness.methods.torch._method import AbstractTorchMethod

EXACT = ("backprop", "checkpoint", "recursive-checkpoint", "reversible")
TRAINING = Path(__file__).parents[2] / "docs" / "training.md"
SDEINT: Any = torchsde.sdeint
SDEINT_ADJOINT: Any = torchsde.sdeint_adjoint
ODEINT: Any = torchdiffeq.odeint
ODEINT_ADJOINT: Any = torchdiffeq.odeint_adjoint
TS = torch.linspace(0.0, 1.0, 3, dtype=torch.float64)


class Net(nn.Module):
    """Drift and diffusion share a layer."""

    def __init__(self, noise_type: str = "diagonal", sde_type: str = "stratonovich", dim: int = 3, m: int = 2) -> None:
        super().__init__()
        self.noise_type, self.sde_type = noise_type, sde_type
        columns = {"diagonal": 0, "scalar": 1}.get(noise_type, m)
        torch.manual_seed(5)
        self.shape = (dim, columns) if columns else (dim,)
        self.shared = nn.Linear(dim + 1, 8)
        self.drift = nn.Linear(8, dim)
        self.diffusion = nn.Linear(1 if noise_type == "additive" else 8, math.prod(self.shape))
        self.double()

    def _hidden(self, t: Tensor, y: Tensor) -> Tensor:
        return torch.tanh(self.shared(torch.cat([y, t.expand(len(y), 1)], 1)))

    def f(self, t: Tensor, y: Tensor) -> Tensor:
        return torch.tanh(self.drift(self._hidden(t, y)))

    def g(self, t: Tensor, y: Tensor) -> Tensor:
        inputs = t.expand(len(y), 1) if self.noise_type == "additive" else self._hidden(t, y)
        return 0.4 * torch.sigmoid(self.diffusion(inputs)).reshape(len(y), *self.shape)


@pytest.fixture
def y0() -> Tensor:
    torch.manual_seed(1)
    return torch.randn(5, 3, dtype=torch.float64, requires_grad=True)


def brownian(sde: Net, seed: int = 3) -> torchsde.BrownianInterval:
    m = sde.shape[-1]
    return torchsde.BrownianInterval(0.0, 1.0, size=(5, m), dtype=torch.float64, entropy=seed)


def gradients(ys: Tensor, *inputs: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad((ys * torch.arange(1.0, len(ys) + 1)[:, None, None]).pow(2).sum(), inputs))


def assert_same(found: list[Tensor], expected: list[Tensor], rounding: float = 1e-13) -> None:
    for x, y in zip(found, expected, strict=True):
        assert (x - y).abs().max() <= rounding * (1 + y.abs().max())


@pytest.mark.parametrize("noise_type", ["additive", "scalar", "diagonal", "general"])
@pytest.mark.parametrize("approach", EXACT)
def test_exact_methods_give_the_gradient_that_torchsde_backpropagates(y0, approach, noise_type):
    sde = Net(noise_type)
    ours = native.sdeint(sde, y0, TS, method=approach, scheme="reversible-heun", steps=16, bm=brownian(sde))
    theirs = SDEINT(sde, y0, TS, bm=brownian(sde), dt=1 / 16, method="reversible_heun")
    assert ours.shape == (3, 5, 3)
    torch.testing.assert_close(ours, theirs, rtol=1e-13, atol=1e-13)
    assert_same(gradients(ours, y0, *sde.parameters()), gradients(theirs, y0, *sde.parameters()))


@pytest.mark.parametrize("noise_type", ["scalar", "diagonal", "general"])
def test_the_adjoint_is_torchsdes(y0, noise_type):
    """Both solve the adjoint equation by Heun's scheme on the same path."""
    sde = Net(noise_type)
    ours = native.sdeint(sde, y0, TS, method="adjoint", scheme="heun", steps=16, bm=brownian(sde))
    theirs = SDEINT_ADJOINT(
        sde, y0, TS, bm=brownian(sde), dt=1 / 16, method="heun", adjoint_method="heun", adjoint_params=sde.parameters()
    )
    assert_same(gradients(ours, y0, *sde.parameters()), gradients(theirs, y0, *sde.parameters()))


@pytest.mark.parametrize("sde_type", ["ito", "stratonovich"])
def test_an_ito_sde_is_solved_as_one(y0, sde_type):
    sde = Net("diagonal", sde_type)
    scheme = "euler" if sde_type == "ito" else "heun"
    ours = native.sdeint(sde, y0, TS, method="checkpoint", scheme=scheme, steps=16, bm=brownian(sde))
    theirs = SDEINT(sde, y0, TS, bm=brownian(sde), dt=1 / 16, method=scheme)
    assert_same(gradients(ours, y0, *sde.parameters()), gradients(theirs, y0, *sde.parameters()))


@pytest.mark.parametrize("approach", ["backprop", "adjoint", "checkpoint"])
def test_odeint_is_torchdiffeqs(y0, approach):
    net = Net()
    solve = ODEINT_ADJOINT if approach == "adjoint" else ODEINT
    options = {"adjoint_params": tuple(net.parameters())} if approach == "adjoint" else {}
    theirs = solve(net.f, y0, TS, method="midpoint", options={"step_size": 1 / 16}, **options)
    ours = native.odeint(net.f, y0, TS, method=approach, scheme="midpoint", dt=1 / 16)
    used = [*net.shared.parameters(), *net.drift.parameters()]
    torch.testing.assert_close(ours, theirs, rtol=1e-13, atol=1e-13)
    assert_same(gradients(ours, y0, *used), gradients(theirs, y0, *used))


@pytest.mark.parametrize("approach", EXACT)
def test_f_and_g_together_are_the_same(y0, approach):
    sde = Net()

    class Together:
        noise_type, sde_type = "diagonal", "stratonovich"

        def f_and_g(self, t: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            return sde.f(t, y), sde.g(t, y)

    apart, together = (
        native.sdeint(s, y0, TS, method=approach, scheme="reversible-heun", steps=8, seed=1) for s in (sde, Together())
    )
    assert_same(gradients(together, y0, *sde.parameters()), gradients(apart, y0, *sde.parameters()))


@pytest.mark.parametrize("approach", EXACT)
def test_tensors_of_a_closure_have_gradients_whatever_made_them(y0, approach):
    """A weight that another network gives, and one that is a leaf: against autograd's own through all steps."""
    code = torch.randn(2, dtype=torch.float64, requires_grad=True)
    leaf = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)
    hyper = nn.Linear(2, 9).double()

    def solved(method: str) -> list[Tensor]:
        weight = hyper(code).reshape(3, 3)

        class Closure:
            noise_type, sde_type = "diagonal", "stratonovich"

            def f(self, t: Tensor, y: Tensor) -> Tensor:
                return torch.tanh(y @ weight) * torch.cos(t)

            def g(self, t: Tensor, y: Tensor) -> Tensor:
                return 0.3 * torch.sigmoid(y @ leaf) + 0 * t

        ys = native.sdeint(Closure(), y0, TS, method=method, scheme="reversible-heun", steps=8, seed=1)
        return gradients(ys, y0, code, leaf, *hyper.parameters())

    assert_same(solved(approach), solved("backprop"))


class Encoded(nn.Module):
    """A latent SDE: f reads a context that the module's own encoder made, and, where it is told to, the encoder too."""

    noise_type, sde_type = "diagonal", "stratonovich"

    def __init__(self, *, both: bool) -> None:
        super().__init__()
        torch.manual_seed(2)
        self.encoder, self.drift = nn.Linear(2, 3).double(), nn.Linear(6, 3).double()
        self.both = both

    def encode(self, data: Tensor) -> Tensor:
        self.context = torch.tanh(self.encoder(data))
        return self.context

    def f(self, t: Tensor, y: Tensor) -> Tensor:
        drift = torch.tanh(self.drift(torch.cat([y, self.context], 1)))
        return drift + self.encoder.bias if self.both else drift

    def g(self, t: Tensor, y: Tensor) -> Tensor:
        return 0.3 * torch.sigmoid(y) * torch.cos(t)


def encoded_gradients(approach: str, *, both: bool = False) -> list[Tensor]:
    sde = Encoded(both=both)
    y0 = sde.encode(torch.linspace(-1, 1, 10, dtype=torch.float64).reshape(5, 2))
    ys = native.sdeint(sde, y0, TS, method=approach, scheme="reversible-heun", steps=8, seed=1)
    return gradients(ys, *sde.parameters())


@pytest.mark.parametrize("approach", EXACT)
def test_what_an_encoder_made_counts_once(approach):
    """Its weights have their gradient through the context and y0, not a second time as parameters of the module."""
    assert_same(encoded_gradients(approach), encoded_gradients("backprop"))


def test_a_tensor_beside_another_that_was_made_of_it_is_refused():
    with pytest.raises(ValueError, match="only method='backprop' can tell their gradients apart"):
        encoded_gradients("reversible", both=True)
    assert all(torch.isfinite(x).all() for x in encoded_gradients("backprop", both=True))


def test_several_solves_and_theta_in_one_loss(y0):
    sde = Net()

    def loss(method: str) -> Tensor:
        first = native.sdeint(sde, y0, TS, method=method, scheme="reversible-heun", steps=8, seed=1)
        second = native.sdeint(sde, first[-1], TS, method=method, scheme="reversible-heun", steps=8, seed=2)
        return second.pow(2).sum() + sum(p.pow(2).sum() for p in sde.parameters())

    found, expected = (
        torch.autograd.grad(loss(method), [y0, *sde.parameters()]) for method in ("reversible", "backprop")
    )
    assert_same(list(found), list(expected))


@pytest.mark.parametrize("approach", ["reversible", "adjoint"])
def test_fifty_steps_of_adam_have_the_losses_of_torchsde(approach):
    """On the same noise, another path each step; the adjoint by Heun's scheme in both."""

    def train(solve) -> list[float]:
        sde = Net()
        optimiser = torch.optim.Adam(sde.parameters(), lr=1e-2)
        y0 = torch.linspace(-1, 1, 15, dtype=torch.float64).reshape(5, 3)
        losses = []
        for step in range(50):
            optimiser.zero_grad()
            loss = (solve(sde, y0, brownian(sde, step))[1:] - 0.5).pow(2).mean()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        return losses

    scheme = "reversible-heun" if approach == "reversible" else "heun"
    theirs = {
        "reversible": lambda sde, y0, bm: SDEINT_ADJOINT(
            sde, y0, TS, bm=bm, dt=1 / 8, method="reversible_heun", adjoint_method="adjoint_reversible_heun"
        ),
        "adjoint": lambda sde, y0, bm: SDEINT_ADJOINT(
            sde, y0, TS, bm=bm, dt=1 / 8, method="heun", adjoint_method="heun"
        ),
    }[approach]
    expected = train(theirs)
    found = train(lambda sde, y0, bm: native.sdeint(sde, y0, TS, method=approach, scheme=scheme, steps=8, bm=bm))
    assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) <= 1e-6
    assert expected[-1] < 0.8 * expected[0]


def test_every_native_method_solves(registry, y0):
    """All that are differentiable solves: the state at the end, and a finite gradient."""
    for method in registry.methods.values():
        if isinstance(method, AbstractTorchMethod):
            ys = native.odeint(Net().f, y0, TS, method=method.name, steps=8)
            assert all(torch.isfinite(x).all() for x in gradients(ys, y0))


def test_a_seed_is_a_path_and_none_is_a_new_one(y0):
    sde = Net()
    first, again, other = (
        native.sdeint(sde, y0, TS, steps=8, seed=seed, scheme="reversible-heun") for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    torch.manual_seed(0)
    drawn = native.sdeint(sde, y0, TS, steps=8)
    assert not torch.equal(drawn, native.sdeint(sde, y0, TS, steps=8))
    torch.manual_seed(0)
    assert torch.equal(drawn, native.sdeint(sde, y0, TS, steps=8))


def test_second_derivatives_are_backprops_alone(y0):
    sde = Net()

    def hessian_product(method: str) -> Tensor:
        ys = native.sdeint(sde, y0, TS, method=method, scheme="reversible-heun", steps=4, seed=1)
        (first,) = torch.autograd.grad(ys.pow(2).sum(), y0, create_graph=True)
        return torch.autograd.grad(first.pow(2).sum(), y0)[0]

    assert torch.isfinite(hessian_product("backprop")).all()
    with pytest.raises(RuntimeError, match="first derivative"):
        hessian_product("reversible")


def test_a_sweep_goes_back_once(y0):
    ys = native.sdeint(Net(), y0, TS, steps=4, seed=1)
    ys.sum().backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="goes back once"):
        ys.sum().backward()


def test_compiling_around_a_solve_leaves_it_as_it_is(y0):
    sde = Net()

    def loss(y0: Tensor) -> Tensor:
        return native.sdeint(sde, 2 * y0, TS, steps=4, seed=1).pow(2).sum()

    compiled = torch.compile(loss, backend="eager")
    with warnings.catch_warnings(action="ignore"):  # torch's own, while it traces
        found = torch.autograd.grad(compiled(y0), [y0])
    assert_same(list(found), list(torch.autograd.grad(loss(y0), [y0])), rounding=1e-14)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"method": "leapfrog"}, "method must be one of .*reversible.*; given: leapfrog"),
        ({"method": "forward"}, "method must be one of .*; given: forward"),
        ({"scheme": "leapfrog"}, "scheme must be one of .*; given: leapfrog"),
        ({"scheme": "heun"}, "heun can't be stepped back"),
        ({"scheme": "euler"}, "euler converges to the ito solution"),
        ({"steps": None}, "give either steps or dt, given neither"),
        ({"dt": 0.25}, "give either steps or dt, given both"),
        ({"steps": 0}, "divide 0 steps"),
        ({"steps": 5}, "divide 5 steps"),
        ({"ts": [0.0, 0.1, 1.0], "steps": 1}, "1 steps for 2 observations"),
        ({"steps": 4.0}, "steps is 4.0; needed: an integer"),
        ({"steps": None, "dt": -0.5}, "dt is -0.5; needed: a positive number"),
        ({"ts": [0.0, 1.0, 1.0]}, "strictly increasing"),
        ({"ts": [0.0, math.nan, 1.0]}, "finite"),
        ({"ts": [0.0]}, "at least two numbers"),
        ({"y0": torch.zeros(3)}, r"y0 must be \(batch, dim\)"),
        ({"y0": torch.zeros(5, 3, dtype=torch.int64)}, "float32 or float64"),
        ({"sde": nn.Linear(3, 3)}, "sde.noise_type must be one of"),
        ({"sde": Net("diagonal", "strato")}, "sde.sde_type must be one of"),
        ({"bm": lambda *_: torch.zeros(5, 1)}, r"shape \(5, 1\); needed: \(5, 3\)"),
    ],
)
def test_what_cannot_be_solved_is_refused_with_a_sentence(y0, changed, words):
    given = {"sde": Net(), "y0": y0, "ts": TS, "steps": 8, "method": "reversible"} | changed
    with pytest.raises(ValueError, match=words):
        native.sdeint(given.pop("sde"), given.pop("y0"), given.pop("ts"), **given)


@pytest.mark.parametrize(("part", "shape"), [("f", (5, 1)), ("f", (1, 3)), ("g", (5, 3, 3)), ("g", (5, 1))])
def test_shapes_that_broadcasting_would_hide_are_refused(y0, part, shape):
    sde = Net()
    setattr(sde, part, lambda *_: torch.zeros(shape, dtype=torch.float64))
    with pytest.raises(ValueError, match=rf"{part} .*must give .*given: \({shape[0]}, {shape[1]}"):
        native.sdeint(sde, y0, TS, steps=8)


def test_the_example_of_the_docs_trains():
    (block,) = re.findall(r"## PyTorch.*?```python\n(.*?)```", TRAINING.read_text(), flags=re.DOTALL)
    scope: dict[str, Any] = {}
    exec(block, scope)
    assert scope["losses"][-1] < 0.2 * scope["losses"][0]
