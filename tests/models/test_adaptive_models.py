"""Adaptive solves of models by their library and by the native methods: on the path of the case, to the tolerance."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax_probed
import numpy as np
import pytest
from jax_probed import facts_of

from harness.case import Case
from harness.gradient_arrays import GradientArrays, relative_error
from harness.initial import draw, with_values
from harness.machine import Machine
from harness.measuring.framework import FRAMEWORKS
from harness.models.facts import ModelFacts
from harness.models.jax.references import JaxModelReferences
from harness.models.source import Source
from harness.models.torch.probe import probe
from harness.models.torch.references import TorchModelReferences
from harness.models.torch.subject import TorchModelSubject
from harness.reference.closed_form import closed_form
from harness.registry import Registry
from harness.runner.subject import path_of
from harness.supported import whatever_the_scheme, with_scheme

REGISTRY = Registry.load()
PATH = 7
DIFFRAX = ("diffrax/recursive-checkpoint", "diffrax/direct", "diffrax/backsolve")


@functools.cache
def torch_facts(name: str, noise: str, **settings: Any) -> ModelFacts:
    """A built-in problem as a model in PyTorch."""
    source, _ = Source.of("problem_models:problem", Path())
    given = {"name": name, "noise": noise, "dim": 2, "batch": 3, "seed": 3, "observations": 2, **settings}
    return probe(source, source.model(), given, seed=0, device="cpu")


def torch_sde(**settings: Any) -> ModelFacts:
    """Diagonal noise that commutes, observed at the end: the libraries interpolate between their steps."""
    return torch_facts("example2", "diagonal", observations=1, **settings)


def jax_sde() -> ModelFacts:
    """Scalar noise, observed at the end."""
    return facts_of("gbm", calculus="stratonovich", observations=1)


def adaptive(facts: ModelFacts, method: str, scheme: str, rtol: float, **axes: Any) -> Case:
    """A case with these tolerances, on the shared path."""
    label = facts.source.label
    case = facts.case(problem=label, method=method, scheme=scheme, steps=16, brownian="shared", stepping="adaptive")
    return replace(case, rtol=rtol, atol=rtol / 10, **axes)


def gradient(facts: ModelFacts, case: Case) -> GradientArrays:
    """By the case's method, on the shared path."""
    assert refusal(facts, case) is None
    if facts.framework == "jax":
        return jax_probed.gradient_of(facts, case)
    subject = TorchModelSubject(case, REGISTRY, TorchModelReferences((), facts).values(case), facts)
    return FRAMEWORKS["torch"].read(subject.build(subject.path(PATH))())


def refusal(facts: ModelFacts, case: Case) -> str | None:
    """Why the case can't be solved."""
    return with_scheme(facts, REGISTRY.schemes[case.scheme], REGISTRY.method(case.method), case)


def truth(name: str, facts: ModelFacts) -> np.ndarray:
    """∂L/∂θ of the built-in problem's exact solution, followed by ∂L/∂y0 where the model has it as a parameter."""
    problem = REGISTRY.problem(name, noise=facts.noise, calculus=facts.calculus, dim=facts.dim)
    seed = 3 if facts.framework == "torch" else 0
    posed = with_values(problem, draw(problem, facts.batch, seed))
    method = f"{facts.framework}/backprop"
    case = facts.case(problem=name, method=method, scheme="heun", steps=16, brownian="shared", seed=seed)
    found = closed_form(posed, case, path_of(facts, facts.batch, PATH))
    assert found is not None
    return np.concatenate([found.theta, found.y0]) if facts.framework == "torch" else found.theta


SDES = [
    ("example2", torch_sde, "torch/backprop"),
    ("example2", torch_sde, "torchsde/backprop"),
    ("example2", torch_sde, "torchsde/adjoint"),
    ("gbm", jax_sde, "jax/backprop"),
    ("gbm", jax_sde, "diffrax/recursive-checkpoint"),
    ("gbm", jax_sde, "diffrax/backsolve"),
]


@pytest.mark.parametrize(("name", "facts_of_it", "method"), SDES, ids=[method for *_, method in SDES])
def test_an_sde_is_solved_on_the_path_of_the_case(name, facts_of_it, method):
    """Its error falls with the tolerance, as it wouldn't on another path."""
    facts = facts_of_it()
    cases = [adaptive(facts, method, "heun", rtol) for rtol in (1e-1, 1e-3)]
    errors = [relative_error(gradient(facts, case).theta, truth(name, facts)) for case in cases]
    assert errors[1] < 0.7 * errors[0]
    assert errors[1] < 0.02


@pytest.mark.parametrize("method", ["torch/backprop", "torch/adjoint", "torchdiffeq/backprop", "torchdiffeq/adjoint"])
def test_the_error_of_an_ode_in_torch_follows_the_tolerance(method):
    facts = torch_facts("linear", "none")
    follows(facts, method, truth("linear", facts))


@functools.cache
def reference_in_jax() -> np.ndarray:
    """Of the ODE in JAX."""
    facts = facts_of("backwards")
    references, case = (
        JaxModelReferences((), facts),
        facts.case(problem=facts.source.label, method="jax/backprop", scheme="dopri5", steps=64),
    )
    return references.continuous(case, references.values(case), PATH, [], 1)[0].theta


@pytest.mark.parametrize("method", ["jax/backprop", "jax/adjoint", *DIFFRAX])
def test_the_error_of_an_ode_in_jax_follows_the_tolerance(method):
    follows(facts_of("backwards"), method, reference_in_jax())


def follows(facts: ModelFacts, method: str, exact: np.ndarray) -> None:
    """dopri5's error is held, not that of the gradient, which sums those of all steps."""
    tolerances = (1e-3, 1e-7)
    cases = [adaptive(facts, method, "dopri5", rtol, brownian="own") for rtol in tolerances]
    errors = [relative_error(gradient(facts, case).theta, exact) for case in cases]
    assert errors[1] < errors[0]
    assert all(error <= 100 * rtol for error, rtol in zip(errors, tolerances, strict=True))


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_a_native_solve_has_a_discrete_reference_and_a_librarys_has_none(framework):
    facts = torch_facts("linear", "none") if framework == "torch" else facts_of("backwards")
    references = TorchModelReferences((), facts) if framework == "torch" else JaxModelReferences((), facts)
    native, library = (
        adaptive(facts, method, "dopri5", 1e-4, brownian="own")
        for method in (f"{framework}/backprop", "torchdiffeq/backprop" if framework == "torch" else DIFFRAX[0])
    )
    values = references.values(native)
    assert references.discrete(library, values, PATH) is None
    discrete = references.discrete(native, values, PATH)
    assert discrete is not None
    assert relative_error(gradient(facts, native).theta, discrete.theta) < 1e-12


@pytest.mark.parametrize(
    ("facts_of_it", "method", "axes", "reason"),
    [
        (torch_sde, "torchsde/reversible", {"scheme": "reversible-heun"}, "doesn't keep its adaptive steps"),
        (torch_sde, "torch/backprop", {"brownian": "own"}, "use brownian tree"),
        (torch_sde, "torchsde/backprop", {"brownian": "own"}, None),
        (torch_sde, "torchsde/backprop", {"brownian": "tree"}, "brownian: tree is not supported"),
        (jax_sde, "diffrax/direct", {}, "DirectAdjoint fails with HalfSolver(Heun)"),
        (jax_sde, "diffrax/direct", {"scheme": "milstein"}, None),
        (jax_sde, "diffrax/recursive-checkpoint", {"brownian": "own"}, None),
        (lambda: torch_facts("neural", "general"), "torchsde/backprop", {}, "commutative noise only"),
        (lambda: torch_facts("linear", "none"), "torchdiffeq/backprop", {"scheme": "heun"}, "dopri5 only"),
    ],
)
def test_what_is_refused_is_said_at_plan_time(facts_of_it, method, axes, reason):
    facts = facts_of_it()
    case = replace(adaptive(facts, method, "heun", 1e-3), **axes)
    why = whatever_the_scheme(case, REGISTRY.method(method), Machine(2)) or refusal(facts, case)
    assert why is None if reason is None else reason in (why or "")
