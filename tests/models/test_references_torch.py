"""References of a PyTorch model: those of the built-in problems are known, from JAX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import small_case

from harness import reference
from harness.brownian.path import SharedPath
from harness.case import CALCULI, NOISES, Case
from harness.gradient_arrays import GradientArrays, relative_error
from harness.grid import Grid
from harness.models.facts import ModelFacts
from harness.models.source import Source
from harness.models.torch.probe import probe
from harness.models.torch.references import TorchModelReferences
from harness.reference import ode, sde
from harness.reference.dop853 import Dop853
from harness.reference.grid_solve import FineGrid, grid_solve
from harness.reference.sde import path_solve, strongest
from harness.registry import Registry
from harness.scheme import AbstractScheme
from harness.schemes.midpoint import Midpoint

SAME = 1e-11
"""Two frameworks' float64 gradients of one discrete solve of 16 to 32 steps."""
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


def built(name: str, noise: str, calculus: str, **settings: Any) -> tuple[ModelFacts, Case, TorchModelReferences]:
    """A problem as a model: what is known of it, a case of it, and its references."""
    facts = facts_of(name, noise, calculus, **settings)
    dim = dimension(name, noise, calculus)
    ito = noise not in ("none", "additive") and calculus == "ito"
    case = small_case(
        problem=name,
        noise=noise,
        calculus=calculus,
        scheme="euler" if ito else "heun",
        dim=dim,
        batch=SIZES["batch"],
        brownian="own" if noise == "none" else "shared",
        observations=settings.get("observations", 1),
    )
    return facts, case, TorchModelReferences((), facts)


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
    facts, case, references = built(name, noise, calculus)
    registry = Registry.load()
    problem = registry.problem_of(case)
    path = None if noise == "none" else SharedPath(11, case.batch, problem.noise_dim, problem.t0, problem.t1)
    values = references.values(case)
    assert_same(
        references.discrete(case, values, 11),
        reference.discrete(problem, registry.schemes[case.scheme], case, path),
        case,
    )

    def expected(scheme: AbstractScheme) -> GradientArrays:
        if path is None:
            ends = Grid.of_case(problem, case).observed_times()
            return grid_solve(problem, case, scheme, FineGrid.equal(problem, 32, ends))
        return path_solve(problem, case, path, 32, scheme)

    for scheme in schemes(facts):
        assert_same(references.fine(case, values, scheme, 32, path), expected(scheme), case)


def schemes(facts: ModelFacts) -> list[AbstractScheme]:
    """Those of a continuous reference; the second one of an SDE for one problem, since each is compiled for JAX."""
    if facts.noise == "none":
        return [Dop853()]
    name = dict(facts.settings)["name"]
    return [strongest(facts), *([Midpoint()] if name == "neural" else [])]


def test_the_structure_of_the_noise_is_found() -> None:
    """What the built-in problems say of their own noise."""
    for name, noise, calculus in compared():
        facts = facts_of(name, noise, calculus)
        dim = dimension(name, noise, calculus)
        problem = Registry.load().problem(name, noise=noise, calculus=calculus, dim=dim)
        if noise == "diagonal" and not problem.additive:
            assert facts.commutes == problem.commutative, name
        if noise != "none":
            assert facts.reads_no_state == problem.additive, (name, noise)


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
    _, case, references = built(name, noise, calculus, observations=2)
    registry = Registry.load()
    problem = registry.problem_of(case)
    path = None if noise == "none" else SharedPath(11, case.batch, problem.noise_dim, problem.t0, problem.t1)
    found, bars = references.continuous(case, references.values(case), 11, [], 1)
    known = reference.continuous(problem, case, path, reference.ReferenceCache(), most_steps=2**9)
    theta, y0 = split(found, case)
    distance = max(relative_error(theta, known.gradient.theta), relative_error(y0, known.gradient.y0))
    assert distance <= 3 * bars["theta"] + known.theta
    assert bars["theta"] < 1e-3
