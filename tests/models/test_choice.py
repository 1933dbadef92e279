"""What `harness try` chooses to measure, and how a suite names a model."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from harness.case import Case
from harness.errors import InputError
from harness.gradient_arrays import GradientArrays
from harness.machine import Machine
from harness.models.choice import Asked, Chosen, choose
from harness.models.controlled import LONGEST
from harness.models.declared import declare
from harness.models.estimate import reference_steps
from harness.models.facts import ModelFacts
from harness.models.source import Source, names_model
from harness.models.written import written
from harness.plan import Plan, make_plan
from harness.reference import ode, sde
from harness.registry import Registry
from harness.scheme import AbstractScheme
from harness.suite import parse_suite

FACTS = ModelFacts(
    noise="diagonal",
    calculus="ito",
    dim=5,
    source=Source("mine.py:latent", "/nowhere/mine.py", "latent"),
    framework="torch",
    settings=(),
    batch=32,
    observations=(0.1, 0.35, 1.0),
    dtype="float32",
    columns=5,
    reads_no_state=False,
    commutes=True,
    entries=100,
    seconds=1e-5,
)
ASKED = Asked(name="latent", problem="mine.py:latent")


def chosen(asked: Asked = ASKED, **changed: Any) -> tuple[Chosen, Plan]:
    """What is chosen for the facts with some of them changed, and its plan."""
    registry = Registry.load()
    facts = replace(FACTS, **changed)
    registry.add_models({asked.problem: {"mine.py:latent": facts}})
    found = choose(asked, registry.models, registry)
    return found, make_plan(found.suite, Path("suite"), registry, Machine(2))


def values(plan: Plan, axis: str, stepping: str = "fixed") -> set[Any]:
    """Of the cases that are measured."""
    return {getattr(case, axis) for case in plan.cases if case.stepping == stepping}


def test_all_methods_of_the_framework_that_fit_are_measured() -> None:
    """The others are refused, with the reason."""
    _, plan = chosen()
    assert {"torch/backprop", "torch/adjoint", "torchsde/backprop", "torchsde/adjoint"} <= values(plan, "method")
    refused = {case.method for case, _ in plan.unsupported} - values(plan, "method")
    assert {"torch/reversible", "torchdiffeq/adjoint", "torch-compile/backprop"} <= refused
    assert values(plan, "scheme") == {"euler", "srk"}
    sizes = {(case.noise, case.dim, case.batch, case.observations) for case in plan.cases}
    assert sizes == {("diagonal", 5, 32, (0.1, 0.35, 1.0))}


def test_steps_are_those_of_the_models_own_dt() -> None:
    """A quarter of them, them, and four times as many; at least one for each interval."""
    assert values(chosen()[1], "steps") == {16, 64, 256}
    assert values(chosen(asked_dt=0.1)[1], "steps") == {3, 10, 40}
    assert values(chosen(asked_dt=0.1, observations=4)[1], "steps") == {4, 12, 40}
    assert values(chosen(replace(ASKED, dt=(0.01,)))[1], "steps") == {100}


def test_adaptive_steps_are_the_native_methods_and_the_librarys() -> None:
    """An SDE's native ones on a tree, by a scheme of order 1."""
    _, plan = chosen()
    assert values(plan, "scheme", "adaptive") == {"milstein"}
    samplers = {(case.method, case.brownian) for case in plan.cases if case.stepping == "adaptive"}
    assert samplers == {
        ("torch/backprop", "tree"),
        ("torch/adjoint", "tree"),
        ("torchsde/backprop", "own"),
        ("torchsde/adjoint", "own"),
    }
    _, plan = chosen(noise="none", calculus="stratonovich", asked_rtol=0.5)
    assert values(plan, "scheme", "adaptive") == {"dopri5"}
    assert values(plan, "rtol", "adaptive") == {0.5, 1e-3, 1e-5}
    assert {"torch/backprop", "torchdiffeq/backprop"} <= values(plan, "method", "adaptive")
    _, plan = chosen(framework="jax", noise="none", calculus="stratonovich")
    assert {"jax/adjoint", "diffrax/direct", "diffrax/backsolve"} <= values(plan, "method", "adaptive")


@pytest.mark.parametrize(("asked", "changed"), [(ASKED, {"commutes": False}), (replace(ASKED, steps=(64,)), {})])
def test_adaptive_steps_need_noise_that_commutes_and_no_step_counts(asked: Asked, changed: dict[str, Any]) -> None:
    _, plan = chosen(asked, **changed)
    assert not values(plan, "method", "adaptive")


@pytest.mark.parametrize(
    ("asked", "changed", "words"),
    [
        ("midpointt", {}, ["'midpointt' is not one of", "euler, milstein, srk", "measured with: euler, srk"]),
        ("Kvaerno5", {"framework": "jax"}, ["'Kvaerno5' is not one of", "Euler", "measured with: euler"]),
        ("slowrk", {"calculus": "stratonovich"}, ["slowrk is not measured", "measured with:"]),
        ("milstein", {}, []),
        ("srk", {}, []),
        ("dopri5", {"noise": "none", "columns": 0, "calculus": "stratonovich"}, []),
        (None, {}, []),
    ],
)
def test_a_scheme_of_the_models_own_that_is_not_measured_is_named(
    asked: str | None, changed: dict[str, Any], words: list[str]
) -> None:
    """One that nobody has, such as a misspelt one, and one that few methods have."""
    notes = [note for note in chosen(asked_scheme=asked, **changed)[0].notes if "the call's method" in note]
    assert len(notes) == bool(words)
    assert all(word in note for note in notes for word in words), notes


def test_the_models_own_scheme_is_measured() -> None:
    """By the name that its library has for it."""
    _, plan = chosen(noise="general", calculus="stratonovich", asked_scheme="reversible_heun")
    assert "reversible-heun" in values(plan, "scheme")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"steps": (10,)}, "--steps: given 10; the model has 4 observation times; needed: a multiple of 4, such as 8"),
        ({"methods": ("nothing/*",)}, "--methods"),
        ({"methods": ("jax/*",)}, "no method can solve the model: jax/"),
        ({"methods": ("torchdiffeq/*",)}, "torchdiffeq/backprop: torchdiffeq solves ODEs: noise none only"),
    ],
)
def test_what_does_not_fit_is_refused(changed: dict[str, Any], words: str) -> None:
    """In a line."""
    with pytest.raises(InputError, match=words.replace("*", r"\*")):
        chosen(replace(ASKED, **changed), observations=4)


def test_what_takes_too_long_is_left_out_and_said() -> None:
    """First the continuous reference, then schemes, then the largest step counts."""
    quick, _ = chosen()
    assert "error" in quick.suite.measure
    assert not quick.notes
    slow, plan = chosen(seconds=1e-2)
    assert "adjoint_error" in slow.suite.measure
    assert any("--minutes" in note for note in slow.notes)
    assert len(values(plan, "steps")) < 3


def test_a_suite_that_is_written_is_the_suite_that_was_chosen() -> None:
    """But for the path of the model's file, which is relative to the suite."""
    found, plan = chosen()
    text = written(found.suite, "../models/mine.py:latent")
    assert "noise" not in yaml.safe_load(text)["grid"][0]
    registry = Registry.load()
    registry.add_models({"../models/mine.py:latent": {"mine.py:latent": FACTS}})
    again = make_plan(parse_suite(text, Path("suite.yaml")), Path("suite.yaml"), registry, Machine(2))
    assert again == plan


def planned(grid: str) -> Plan:
    """Of a suite with one product that names the model."""
    registry = Registry.load()
    models = {"mine.py:latent": FACTS, "mine.py:latent(batch=64)": replace(FACTS, batch=64)}
    registry.add_models({"mine.py:latent(batch=[32, 64])": models})
    text = f"name: tiny\ntitle: A question?\ngrid: [{{problem: 'mine.py:latent(batch=[32, 64])', {grid}}}]\n"
    return make_plan(parse_suite(text, Path("tiny.yaml")), Path("tiny.yaml"), registry, Machine(2))


def test_a_suite_leaves_to_the_model_what_is_the_models() -> None:
    """A list of settings is several models, each with its own sizes."""
    plan = planned("method: torch/backprop, scheme: euler, steps: 8")
    found = [(case.problem, case.batch) for case in plan.cases]
    assert found == [("mine.py:latent", 32), ("mine.py:latent(batch=64)", 64)]


@pytest.mark.parametrize("given", ["noise: general", "dim: 7", "dtype: float64"])
def test_an_axis_that_is_the_models_own_is_refused(given: str) -> None:
    """It would be ignored."""
    plan = planned(f"method: torch/backprop, scheme: euler, steps: 8, {given}")
    assert not plan.cases
    assert all("is the model's own" in reason for _, reason in plan.unsupported)


def test_a_problem_without_noise_is_refused_as_before() -> None:
    """Only models may leave it out."""
    with pytest.raises(InputError, match="noise: is missing"):
        parse_suite("name: a\ntitle: b\ngrid: [{problem: neural, method: torch/backprop}]", Path("a.yaml"))


def test_a_model_is_told_from_a_problem() -> None:
    """By its colon."""
    assert names_model("mine.py:latent(width=3)")
    assert not names_model("neural(width=3)")


def test_settings_of_a_model() -> None:
    """Keyword arguments with defaults; lists are combinations."""

    def model(solve: object, *, batch: int = 32, name: str = "a", rate: float = 0.1) -> None:
        del solve, batch, name, rate

    declared = declare("torch", model)
    assert declared.settings_of("batch=[32, 64], rate=1") == [{"rate": 1.0}, {"batch": 64, "rate": 1.0}]
    assert declared.spelled({"rate": 1.0, "batch": 64}) == "model(batch=64, rate=1.0)"
    with pytest.raises(ValueError, match="bach"):
        declared.settings_of("bach=3")


def test_a_setting_needs_a_default_of_a_plain_type() -> None:
    """As it is set in a suite."""

    def without(solve: object, batch: int) -> None:
        del solve, batch

    def pair(solve: object, sizes: tuple[int, int] = (1, 2)) -> None:
        del solve, sizes

    with pytest.raises(TypeError, match="batch needs a default"):
        declare("torch", without)
    with pytest.raises(TypeError, match="needed: a number, text, True or False"):
        declare("torch", pair)


def test_cases_of_a_model_have_an_id_without_its_folder() -> None:
    """The same on every machine."""
    _, plan = chosen()
    assert not any("/nowhere" in str(vars(case)) for case in plan.cases)
    assert len({case.id for case in plan.cases}) == len(plan.cases)
    assert isinstance(plan.cases[0], Case)


def test_a_package_publishes_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """By an entry point, whose name a suite gives."""
    entry = EntryPoint("published", "package.models:latent", "harness.models")
    monkeypatch.setattr("harness.models.source.installed", lambda group: [entry] if group == "harness.models" else [])
    assert names_model("published(width=3)")
    assert not names_model("neural")
    source, settings = Source.of("published(width=3)", Path())
    assert (source.label, source.place, source.name, settings) == ("published", "package.models", "latent", "width=3")


@pytest.mark.parametrize(("noise", "commutes"), [("diagonal", True), ("general", False), ("none", False)])
def test_the_estimate_counts_the_steps_that_references_solve(noise: str, commutes: bool) -> None:
    """Of cases with these step counts, which share the grids that are the same."""
    facts, counts = replace(FACTS, noise=noise, commutes=commutes, observations=1), (25, 100, 1600)
    solved: dict[tuple[str, int], int] = {}

    def by(scheme: AbstractScheme, steps: int) -> GradientArrays:
        solved[scheme.name, steps] = steps
        return GradientArrays(1.0, np.array([1.0 + 1 / steps]), np.zeros(0))

    for steps in counts:
        case = facts.case(problem="mine.py:latent", method="torch/backprop", scheme="heun", steps=steps)
        if noise == "none":
            exact = GradientArrays(1.0, np.ones(1), np.zeros(0))
            ode.compared(exact, exact, lambda steps: by(ode.SCHEME, steps), case, most_steps=1)
        else:
            sde.refined(by, facts, case, most_steps=1)
    controlled = 4 * LONGEST if noise == "none" else 0  # chosen, solved, and solved once more, cut in two
    assert reference_steps(facts, counts) == sum(solved.values()) + controlled
