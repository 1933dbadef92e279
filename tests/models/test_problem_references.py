"""References of models in both frameworks: those of the built-in problems, posed as models, are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cases import small_case
from jaxtyping import Array

from harness import reference
from harness.brownian.path import SharedPath
from harness.case import CALCULI, NOISES, Case
from harness.gradient_arrays import GradientArrays, relative_error
from harness.grid import Grid
from harness.initial import initial_values
from harness.models import controlled
from harness.models.facts import ModelFacts
from harness.models.jax.references import JaxModelReferences
from harness.models.jax.structure import structure_of
from harness.models.source import Source
from harness.models.torch.probe import probe
from harness.models.torch.references import TorchModelReferences
from harness.problem import AbstractProblem
from harness.reference import ode, sde
from harness.reference.dop853 import Dop853
from harness.reference.grid_solve import FineGrid, grid_solve
from harness.reference.sde import path_solve, strongest
from harness.registry import Registry
from harness.scheme import AbstractScheme
from harness.schemes.heun import Heun
from harness.schemes.midpoint import Midpoint

STEPS = 8
SAME = 1e-11
"""Two frameworks' float64 gradients of one discrete solve of so many steps."""
SIZES = {"dim": 3, "batch": 4, "seed": 3}


def forms() -> list[tuple[str, str, str]]:
    """Every problem in every form that it has."""
    return [
        (name, noise, calculus)
        for name, kind in Registry.load().problems.items()
        for noise in NOISES
        for calculus in (CALCULI if noise not in ("none", "additive") else CALCULI[1:])
        if kind.unsupported(noise, calculus) is None
    ]


def compared() -> list[tuple[str, str, str]]:
    """Every problem with every noise, and every noise in both calculi: each is compiled for JAX."""
    found = {(name, noise): (name, noise, calculus) for name, noise, calculus in reversed(forms())}
    return [*found.values(), ("neural", "diagonal", "stratonovich"), ("neural", "general", "stratonovich")]


def facts_of(name: str, noise: str, calculus: str, **settings: Any) -> ModelFacts:
    """What is known of a problem as a model."""
    source, _ = Source.of("problem_models:problem", Path())
    dim = dimension(name, noise, calculus)
    given = {**SIZES, "dim": dim, "name": name, "noise": noise, "calculus": calculus, **settings}
    return probe(source, source.model(), given, seed=0, device="cpu")


def in_jax(facts: ModelFacts) -> ModelFacts:
    """The same problem as a model in JAX, of which the same is known: probing it would compile it four times."""
    source, _ = Source.of("jax_problem_models:problem", Path())
    settings = tuple((key, value) for key, value in facts.settings if key != "dtype")
    return replace(facts, source=source, framework="jax", settings=settings)


def built(name: str, noise: str, calculus: str, **settings: Any) -> tuple[ModelFacts, Case]:
    """A problem as a model in PyTorch: what is known of it, and a case of it."""
    facts = facts_of(name, noise, calculus, **settings)
    dim = dimension(name, noise, calculus)
    ito = noise not in ("none", "additive") and calculus == "ito"
    return facts, small_case(
        problem=name,
        noise=noise,
        calculus=calculus,
        scheme="euler" if ito else "heun",
        dim=dim,
        batch=SIZES["batch"],
        steps=STEPS,
        brownian="own" if noise == "none" else "shared",
        observations=settings.get("observations", 1),
    )


def dimension(name: str, noise: str, calculus: str) -> int:
    """3, or what the problem asks for."""
    for dim in (3, 2, 1):
        try:
            Registry.load().problem(name, noise=noise, calculus=calculus, dim=dim)
        except ValueError:
            continue
        return dim
    raise AssertionError(f"{name} has no dimension of 1 to 3")


def split(found: GradientArrays, case: Case) -> tuple[np.ndarray, np.ndarray]:
    """θ's part and y0's, which stands last."""
    size = case.batch * case.dim
    return found.theta[:-size], found.theta[-size:]


def assert_same(found: GradientArrays | None, expected: GradientArrays, case: Case) -> None:
    """The loss and both parts of the gradient."""
    assert found is not None
    theta, y0 = split(found, case)
    assert relative_error(found.loss, expected.loss) < SAME
    assert relative_error(theta, expected.theta) < SAME
    assert relative_error(y0, expected.y0) < SAME


@pytest.mark.parametrize(("name", "noise", "calculus"), compared())
def test_both_frameworks_have_the_same_references(name: str, noise: str, calculus: str) -> None:
    """The discrete one of a case, and the solves that the continuous one is made of, scheme by scheme."""
    facts, case = built(name, noise, calculus)
    problem, path = posed(case)
    of_torch, of_jax = TorchModelReferences((), facts), JaxModelReferences((), in_jax(facts))
    values = of_torch.values(case)
    discrete = reference.discrete(problem, Registry.load().schemes[case.scheme], case, path)
    assert_same(of_torch.discrete(case, values, 11), discrete, case)
    assert_same(of_jax.discrete(case, of_jax.values(case), 11), discrete, case)
    for scheme in schemes(facts):
        assert_same(of_torch.fine(case, values, scheme, STEPS, path), known(problem, case, path, scheme), case)
    for scheme in compiled_schemes(facts):
        expected = of_torch.fine(case, values, scheme, STEPS, path)
        theta, y0 = split(expected, case)
        assert_same(
            of_jax.fine(case, of_jax.values(case), scheme, STEPS, path), replace(expected, theta=theta, y0=y0), case
        )


def test_additive_noise_is_solved_by_the_schemes_that_are_for_it_alone() -> None:
    """Rößler's SRA1, though a model's g of additive noise has an axis for the batch."""
    facts, case = built("ornstein-uhlenbeck", "additive", "stratonovich")
    case = replace(case, scheme="srk")
    problem, path = posed(case)
    references = TorchModelReferences((), facts)
    expected = reference.discrete(problem, Registry.load().schemes["srk"], case, path)
    assert_same(references.discrete(case, references.values(case), 11), expected, case)


def posed(case: Case) -> tuple[AbstractProblem, SharedPath | None]:
    """The problem itself, and its path."""
    problem = Registry.load().problem_of(case)
    if case.noise == "none":
        return problem, None
    return problem, SharedPath(11, case.batch, problem.noise_dim, problem.t0, problem.t1)


def known(problem: AbstractProblem, case: Case, path: SharedPath | None, scheme: AbstractScheme) -> GradientArrays:
    """The problem's own solve with as many steps."""
    if path is None:
        ends = Grid.of_case(problem, case).observed_times()
        return grid_solve(problem, case, scheme, FineGrid.equal(problem, STEPS, ends))
    return path_solve(problem, case, path, STEPS, scheme)


def schemes(facts: ModelFacts) -> list[AbstractScheme]:
    """Those of a continuous reference; the second one of an SDE for one problem, since each is compiled for JAX."""
    if facts.noise == "none":
        return [Dop853()]
    name = dict(facts.settings)["name"]
    return [strongest(facts), *([Midpoint()] if name == "neural" else [])]


def compiled_schemes(facts: ModelFacts) -> list[AbstractScheme]:
    """Those of a JAX model's fine solves: all for one problem; else Heun's, the cheapest to compile, in Itô's form.

    Other fine solves do what the discrete one does.
    """
    if dict(facts.settings)["name"] == "neural":
        return schemes(facts)
    return [Heun()] if facts.calculus == "ito" and facts.noise not in ("none", "additive") else []


def test_the_structure_of_the_noise_is_found() -> None:
    """What the built-in problems say of their own noise: by their models in PyTorch, and by their diffusion in JAX."""
    for name, noise, calculus in compared():
        if noise == "none":
            continue
        facts, case = built(name, noise, calculus)
        problem, _ = posed(case)
        assert facts.reads_no_state == problem.additive, (name, noise)
        y0, theta = jax.tree.map(jnp.asarray, initial_values(problem, case.batch, case.seed))

        def g(t: Array, y: Array, problem: AbstractProblem = problem, theta: Any = theta) -> Array:
            return problem.diffusion(jnp, t, y, theta)

        found = structure_of(g, noise, (problem.t0, problem.t1), y0)
        assert found.reads_no_state == problem.additive, (name, noise)
        if noise in ("diagonal", "general") and not problem.additive:
            assert facts.commutes == found.commutes == problem.commutative, (name, noise)


@pytest.mark.parametrize(
    ("name", "noise", "calculus"),
    [("ornstein-uhlenbeck", "additive", "stratonovich"), ("neural", "none", "stratonovich")],
)
def test_the_continuous_reference_lies_within_its_bars(
    name: str, noise: str, calculus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a closed form, or of JAX's own reference. On coarser grids than usual, whose bars are larger."""
    monkeypatch.setitem(sde.COARSEST, True, 2**8)
    monkeypatch.setattr(ode, "COARSEST", 2**4)
    monkeypatch.setattr(controlled, "LONGEST", 32)
    facts, case = built(name, noise, calculus, observations=2)
    problem, path = posed(case)
    references = TorchModelReferences((), facts)
    found, bars = references.continuous(case, references.values(case), 11, [], 1)
    exact = reference.continuous(problem, case, path, reference.ReferenceCache(), most_steps=2**9)
    theta, y0 = split(found, case)
    distance = max(relative_error(theta, exact.gradient.theta), relative_error(y0, exact.gradient.y0))
    assert distance <= 3 * bars["theta"] + exact.theta
    assert bars["theta"] < 1e-3
