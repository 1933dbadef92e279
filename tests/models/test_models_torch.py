"""Gradients of a PyTorch model by every method: those of the same discrete solve in float64."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradients
import numpy as np
import pytest
import torch
from cases import small_case
from tolerances import agreement_tolerance, exact_tolerance

from harness.case import Case
from harness.gradient_arrays import GradientArrays, relative_error
from harness.measuring.framework import FRAMEWORKS
from harness.models.facts import ModelFacts
from harness.models.source import Source
from harness.models.torch.probe import probe
from harness.models.torch.references import TorchModelReferences
from harness.models.torch.structure import structure_of
from harness.models.torch.subject import TorchModelSubject
from harness.registry import Registry
from harness.supported import with_scheme
from harness.torch._right_hand_side import RightHandSide

REGISTRY = Registry.load()
SETTINGS = {"dim": 3, "batch": 4, "seed": 3}
FORMS = [("none", "stratonovich"), ("diagonal", "stratonovich"), ("diagonal", "ito"), ("general", "stratonovich")]


def facts_of(**settings: Any) -> ModelFacts:
    """What is known of a built-in problem as a model."""
    source, _ = Source.of("problem_models:problem", Path())
    return probe(source, source.model(), SETTINGS | settings, seed=0, device="cpu")


def case_of(facts: ModelFacts, method: str, scheme: str = "") -> Case:
    """A small case of it, on the shared path, with the first scheme that fits; of an ODE without noise."""
    case = facts.case(problem="problem_models:problem", method=method, scheme=scheme, steps=16, brownian="shared")
    if scheme:
        return case
    named = [*REGISTRY.method(method).default_schemes, *REGISTRY.schemes]
    fitting = (small for name in named if refusal(facts, small := small_case(**{**vars(case), "scheme": name})) is None)
    return next(fitting, case)


def refusal(facts: ModelFacts, case: Case) -> str | None:
    """Why the case can't be solved."""
    return with_scheme(facts, REGISTRY.schemes[case.scheme], REGISTRY.method(case.method), case)


def gradient(facts: ModelFacts, case: Case, references: TorchModelReferences) -> GradientArrays:
    """By the method, on the path with seed 11."""
    subject = TorchModelSubject(case, REGISTRY, references.values(case), facts)
    return FRAMEWORKS["torch"].read(subject.build_checked(subject.path(11))())


def discrete(references: TorchModelReferences, case: Case) -> GradientArrays:
    """The discrete reference on that path."""
    found = references.discrete(case, references.values(case), 11)
    assert found is not None
    return found


def methods(noise: str, calculus: str) -> list[str]:
    """Those that take such a model."""
    facts = facts_of(noise=noise, calculus=calculus, observations=2)
    fitting = [m.name for m in REGISTRY.methods.values() if facts.unsuited(m) is None]
    return [name for name in fitting if case_of(facts, name).scheme]


@pytest.mark.parametrize(("noise", "calculus"), FORMS)
def test_exact_methods_give_the_gradient_of_the_discrete_solve(noise: str, calculus: str) -> None:
    """Native ones and the libraries'. The others give what they give for the built-in problem."""
    facts = facts_of(noise=noise, calculus=calculus, observations=2)
    references = TorchModelReferences((), facts)
    names = methods(noise, calculus)
    assert {"torch/backprop", "torch/adjoint", f"torch{'diffeq' if noise == 'none' else 'sde'}/adjoint"} <= set(names)
    for name in names:
        case = case_of(facts, name)
        found = gradient(facts, case, references)
        if REGISTRY.method(name).exact:
            expected, near = discrete(references, case).theta, exact_tolerance()
        else:
            same = small_case(**{**vars(case), "problem": "neural", "seed": 3})
            problem = gradients.gradient(REGISTRY, same, seed=11)
            expected = np.concatenate([problem.theta, problem.y0])
            # The built-in problem has the drift's correction in closed form.
            near = 0.1 if calculus == "ito" and case.backend == "torch" else exact_tolerance()
        assert relative_error(found.theta, expected) < near, name
        assert not found.y0.size


def test_a_float32_model_is_compared_with_itself_in_float64() -> None:
    """Not with another model: the distance is the rounding of float32."""
    facts = facts_of(dtype="float32")
    assert facts.dtype == "float32"
    references = TorchModelReferences((), facts)
    case = case_of(facts, "torch/backprop")
    found = gradient(facts, case, references)
    expected = discrete(references, case)
    assert 0 < relative_error(found.theta, expected.theta) < 1e-5


def test_other_parameters_in_another_process_are_refused() -> None:
    """A block's cases must start from the same parameters."""
    facts = facts_of()
    references = TorchModelReferences((), facts)
    case = case_of(facts, "torch/backprop")
    values = references.values(case)
    values.theta["~y0"][0, 0] += 1e-9
    with pytest.raises(Exception, match="~y0 is another one in every process"):
        TorchModelSubject(case, REGISTRY, values, facts).build(None)


def test_own_noise_is_the_same_for_each_call() -> None:
    """A second gradient is the first."""
    facts = facts_of(noise="general")
    case = small_case(**{**vars(case_of(facts, "torch/backprop")), "brownian": "own"})
    run = TorchModelSubject(case, REGISTRY, TorchModelReferences((), facts).values(case), facts).build(None)
    first, second = run(), run()
    assert relative_error(first.theta["~y0"].numpy(), second.theta["~y0"].numpy()) < agreement_tolerance()


class _Noise(torch.nn.Module):
    noise_type, sde_type = "diagonal", "ito"

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.weight = torch.nn.Parameter(torch.ones(3))

    def f(self, t: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return -y

    def g(self, t: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return {
            "constant": lambda: self.weight.expand_as(y),
            "time": lambda: (self.weight * t).expand_as(y),
            "entries": lambda: self.weight * torch.cos(y),
            "mixed": lambda: self.weight * torch.cos(y.flip(1)),
            "rows": lambda: self.weight * torch.cos(y.flip(0)),
            "zero": lambda: self.weight + 0 * y,
        }[self.kind]()


@pytest.mark.parametrize(
    ("kind", "reads_no_state", "commutes"),
    [
        ("constant", True, False),
        ("time", True, False),
        ("entries", False, True),
        ("mixed", False, False),
        ("rows", False, False),
        ("zero", False, True),
    ],
)
def test_the_structure_of_the_noise(kind: str, reads_no_state: bool, commutes: bool) -> None:
    """By the paths of dependence: a derivative that only happens to be zero is one."""
    y = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    found = structure_of(RightHandSide.of(_Noise(kind)), [torch.tensor(0.5)], y)
    assert (found.reads_no_state, found.commutes) == (reads_no_state, commutes)


class _Columns(_Noise):
    """g of general noise with two columns."""

    noise_type = "general"

    def g(self, t: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Columns A y and B y, which commute where A B = B A; or what else is asked for."""
        turned = torch.stack([y[:, 1], -y[:, 0], 0 * y[:, 2]], 1)
        other = {"commuting": 2 * y + turned, "not commuting": y.flip(1), "zero": 0 * y, "alike": 3 * turned}
        columns = torch.stack([0 * y if self.kind == "zero" else turned, other[self.kind]], 2)
        return self.weight[0] * columns


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("kind", "commutes"), [("commuting", True), ("alike", True), ("not commuting", False), ("zero", False)]
)
def test_general_noise_commutes_where_its_columns_do(kind: str, commutes: bool, dtype: torch.dtype) -> None:
    """Zero shows nothing."""
    y = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=dtype)
    side = RightHandSide.of(_Columns(kind).to(dtype))
    assert structure_of(side, [torch.tensor(0.5)], y).commutes is commutes


@pytest.mark.parametrize("declared", [True, False])
def test_an_sde_may_say_itself_whether_its_noise_commutes(declared: bool) -> None:
    """It is believed, by the public solves too."""
    sde = _Noise("mixed" if declared else "entries")
    object.__setattr__(sde, "commutes", declared)
    side = RightHandSide.of(sde)
    assert side.commutes is declared
    assert structure_of(side, [torch.tensor(0.5)], torch.ones(4, 3)).commutes is declared


def test_what_an_sde_says_of_its_noise_is_true_or_false() -> None:
    sde = _Noise("entries")
    object.__setattr__(sde, "commutes", "yes")
    with pytest.raises(ValueError, match="commutes is 'yes'"):
        RightHandSide.of(sde)
