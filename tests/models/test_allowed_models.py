"""What a model may do: its gradient is then the same by every exact method, and that of the library."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from tolerances import single_solve_tolerance

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import GradientArrays, relative_error
from harness.initial import Values
from harness.measuring.framework import FRAMEWORKS
from harness.models.facts import ModelFacts
from harness.models.source import Source
from harness.models.torch.instance import Instance
from harness.models.torch.probe import Recorder, probe
from harness.models.torch.references import TorchModelReferences
from harness.models.torch.subject import TorchModelSubject
from harness.registry import Registry
from harness.runner.model_probe import ModelProbe
from harness.runner.subject import path_of

HEAD = """
import torch, harness
from torch import nn

ts = torch.linspace(0, 1, 3)

class SDE(nn.Module):
    noise_type, sde_type = "diagonal", "stratonovich"
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2))
        self.spread = nn.Linear(2, 2)
    def f(self, t, y):
        return self.net(y)
    def g(self, t, y):
        return 0.3 * torch.sigmoid(self.spread(y))
"""


def sde(
    body: str = "pass",
    *,
    y0: str = "torch.ones(3, 2)",
    loss: str = "ys.square().mean()",
    params: str = "sde.parameters()",
    before: str = "pass",
) -> str:
    """A file with a model of an SDE."""
    lines = "\n    ".join(body.split("\n"))
    return f"""{HEAD}
class Own(SDE):
    {lines}

@harness.torch.model
def model(solve):
    sde = Own()
    {before}
    def loss():
        ys = solve.sdeint(sde, {y0}, ts)
        return {loss}
    return loss, {params}
"""


def ode(f: str, y0: str = "torch.ones(3, 2)", loss: str = "ys.square().mean()", before: str = "pass") -> str:
    """A file with a model of an ODE."""
    return f"""{HEAD}
@harness.torch.model
def model(solve):
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2))
    {before}
    def f(t, y):
        {f}
    def loss():
        ys = solve.odeint(f, {y0}, ts)
        return {loss}
    return loss, net.parameters()
"""


TRACE = """z, _ = y
        velocity = lambda x: net(x[None])[0]
        trace = torch.vmap(lambda x: torch.func.jacrev(velocity)(x).trace())(z)
        return net(z), -trace[:, None]"""
DOUBLE = "torch.set_default_dtype(torch.float64)"


@dataclass(frozen=True)
class Allowed:
    """A file, words of the notes, and how many entries its parameters have where that is not all of the module's."""

    text: str
    notes: str = ""
    entries: int | None = None


ALLOWED = {
    "a module that f and g share": Allowed(sde("def g(self, t, y): return 0.1 * self.net(y)")),
    "an unused parameter": Allowed(
        sde("def __init__(self):\n    super().__init__()\n    self.unused = nn.Linear(2, 2)"),
        "the gradient is zero for 2",
    ),
    "frozen parameters": Allowed(sde(before="sde.spread.requires_grad_(False)"), "2 parameters don't require", 17),
    "a buffer": Allowed(
        sde(
            "def __init__(self):\n    super().__init__()\n    self.register_buffer('scale', torch.full((2,), 0.5))\n"
            "def f(self, t, y): return self.scale * self.net(y)"
        )
    ),
    "a parameter of integers": Allowed(
        sde(before="n = nn.Parameter(torch.tensor([2]), requires_grad=False)", params="[n, *sde.parameters()]"),
        "1 parameters don't require",
    ),
    "BatchNorm in the encoder, training": Allowed(
        sde(
            "def __init__(self):\n    super().__init__()\n    self.norm = nn.BatchNorm1d(2)",
            y0="sde.norm(x)",
            before="x = torch.randn(3, 2)",
        )
    ),
    "dropout in the encoder": Allowed(sde(y0="nn.functional.dropout(torch.ones(3, 2), 0.3)")),
    "changes in place of what f makes": Allowed(
        sde("def f(self, t, y):\n    x = self.net(y)\n    x += 0.1 * y\n    x[:, 0].mul_(2.0)\n    return x")
    ),
    "changes in place of the states": Allowed(sde(loss="ys.clone().add_(1.0).square_().mean()")),
    "control flow that depends on the state": Allowed(
        sde("def f(self, t, y): return self.net(y) if y.mean() > 0.5 and t < 0.4 else -self.net(y) * t")
    ),
    "a part without a gradient": Allowed(
        sde("def f(self, t, y):\n    with torch.no_grad():\n        x = y.abs().sqrt()\n    return self.net(y) * x")
    ),
    "a context from an encoder": Allowed(
        sde(
            "def f(self, t, y): return self.net(y) * self.context",
            y0="(setattr(sde, 'context', encoder(torch.ones(3, 1))), torch.ones(3, 2))[1]",
            before="encoder = nn.Linear(1, 2)",
            params="[*sde.parameters(), *encoder.parameters()]",
        ),
        "1 tensor that is computed from other parameters",
    ),
    "a layer with weight normalisation in the encoder": Allowed(
        sde(before="layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))", y0="layer(torch.ones(3, 2))")
    ),
    "float64": Allowed(
        f"import torch\n{DOUBLE}\n{sde(y0='torch.randn(3, 2)')}\ntorch.set_default_dtype(torch.float32)".replace(
            "sde = Own()", "sde = Own().double()"
        ).replace("torch.randn(3, 2)", "torch.randn(3, 2, dtype=torch.float64)")
    ),
    "parameters as a dictionary": Allowed(sde(params="dict(sde.named_parameters())")),
    "parameters by name": Allowed(sde(params="sde.named_parameters()")),
    "a module for its parameters": Allowed(sde(params="sde")),
    "a parameter twice": Allowed(sde(params="[*sde.parameters(), *sde.parameters()]"), entries=23),
    "torch.func in f": Allowed(ode(TRACE, "(torch.ones(3, 2), torch.zeros(3, 1))", "ys[0].mean() + ys[1].mean()")),
    "an ODE without a batch": Allowed(ode("return net(y)", "torch.ones(2)")),
    "a time that f converts": Allowed(ode("return net(y) * float(t)")),
    "a loss of one entry": Allowed(sde(loss="ys.square().mean().reshape(1)")),
}
NATIVE = ("torch/backprop", "torch/checkpoint", "torch/recursive-checkpoint")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the files are."""
    return tmp_path_factory.mktemp("allowed")


def found(folder: Path, name: str, text: str) -> ModelFacts:
    """What the harness finds."""
    (folder / f"{name}.py").write_text(text)
    source, _ = Source.of(f"{name}.py:model", folder)
    return probe(source, source.model(), {}, seed=0, device="cpu")


def case_of(facts: ModelFacts, method: str) -> Case:
    """By Heun's scheme on a shared path."""
    return Case(
        problem="it",
        noise=facts.noise,
        calculus=facts.calculus,
        scheme="heun",
        method=method,
        dim=facts.dim,
        batch=facts.batch,
        steps=8,
        observations=facts.observations,
        dtype=facts.dtype,
        device="cpu",
        threads=1,
        brownian="own" if facts.noise == "none" else "shared",
        seed=0,
    )


def values_of(facts: ModelFacts) -> Values:
    """Its parameters."""
    return Values(np.zeros(0), Instance(facts.source.model(), {}, 0, Recorder(Registry.load(), 0)).values())


def gradient(facts: ModelFacts, method: str, path: SharedPath | None) -> GradientArrays:
    """By a method, as a child computes it."""
    subject = TorchModelSubject(case_of(facts, method), Registry.load(), values_of(facts), facts)
    return FRAMEWORKS["torch"].read(subject.build(path)())


@pytest.mark.parametrize("name", ALLOWED)
def test_exact_methods_and_the_library_agree(folder, name):
    allowed = ALLOWED[name]
    facts = found(folder, f"model{list(ALLOWED).index(name)}", allowed.text)
    assert allowed.notes in " ".join(facts.notes)
    assert allowed.entries in (None, facts.entries)
    path = path_of(facts, facts.batch, 5)
    reference = TorchModelReferences((), facts).discrete(case_of(facts, "torch/backprop"), values_of(facts), 5)
    assert reference is not None
    tolerance = single_solve_tolerance(torch.finfo(getattr(torch, facts.dtype)).eps)
    for method in (*NATIVE, "torchdiffeq/backprop" if facts.noise == "none" else "torchsde/backprop"):
        result = gradient(facts, method, path)
        assert relative_error(result.loss, reference.loss) < tolerance, method
        assert relative_error(result.theta, reference.theta) < tolerance, method


def test_a_model_of_a_package(folder, monkeypatch):
    package = folder / "a_package_of_models"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "latent.py").write_text(sde())
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # which a child gives up
    found = ModelProbe().found("a_package_of_models.latent:model", Path(), 0, "cpu")
    assert isinstance(found, dict)
    assert list(found) == ["a_package_of_models.latent:model"]
