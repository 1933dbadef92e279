"""References of JAX models: against closed forms and the built-in problems' own, and in float64 for float32 models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax_examples import found
from jax_probed import case_of, facts_of, gradient_of, path_for, source

from harness.errors import ProblemError
from harness.gradient_arrays import relative_error, relative_errors
from harness.initial import draw, with_values
from harness.models.facts import ModelFacts
from harness.models.jax.precision import Promoted, Redrawn, Wide
from harness.models.jax.probe import probe
from harness.models.jax.references import JaxModelReferences
from harness.problems.gbm import GBM
from harness.reference.closed_form import closed_form
from harness.reference.discrete_reference import discrete
from harness.reference.sde import path_solve
from harness.registry import Registry

PATH = 7


@pytest.fixture
def single() -> Iterator[None]:
    """A process of a float32 model."""
    with jax.enable_x64(False):
        yield


@pytest.fixture(autouse=True)
def _settings() -> Iterator[None]:
    """A child of references sets the precision of its process."""
    yield
    jax.config.update("jax_enable_x64", True)


def single_facts(name: str, **settings: object) -> ModelFacts:
    """Of the model in float32."""
    with jax.enable_x64(False):
        return probe(source(name), source(name).model(), settings, seed=0, device="cpu")


def test_the_references_of_gbm_are_those_of_the_problem():
    """On the same grids to rounding; and within the bars of its closed form."""
    facts = facts_of("gbm")
    problem = GBM(noise="scalar", calculus="ito", dim=2)
    problem = with_values(problem, draw(problem, 3, 0))
    case, path = case_of(facts, "jax/backprop", "euler", 8), path_for(facts, PATH)
    assert path is not None
    references = JaxModelReferences((), facts)
    values = references.values(case)
    own = replace(case, problem="gbm")
    found = references.discrete(case, values, PATH)
    assert found is not None
    assert relative_error(found.theta, discrete(problem, Registry.load().schemes["euler"], own, path).theta) < 1e-11

    finest, bars = references.continuous(case, values, PATH, [found], 1)
    exact = closed_form(problem, own, path)
    assert exact is not None
    distances = relative_errors(finest, replace(exact, y0=finest.y0))  # a model's y0 has no gradient
    assert 0 < distances["theta"] < bars["theta"] < 1e-3
    assert distances["loss"] < bars["loss"]
    assert relative_error(finest.theta, path_solve(problem, own, path, 2**11).theta) < 1e-11


@pytest.mark.parametrize(
    ("name", "settings", "precision"),
    [
        ("diagonal", {"draws": True}, Redrawn),
        ("diagonal", {"draws": False}, Wide),
        ("draws_by_name", {}, Promoted),
    ],
)
def test_a_model_in_float32_is_evaluated_in_float64(name, settings, precision):
    """With the same random numbers: its loss is that of float32 up to rounding, though it draws in the loss."""
    facts = single_facts(name, **settings)
    assert facts.dtype == "float32"
    case = case_of(facts, "jax/backprop", "heun", 8, brownian="own" if facts.noise == "none" else "shared")
    references = JaxModelReferences((), facts)
    values = references.values(case)
    found = references.discrete(case, values, PATH)
    assert found is not None
    assert isinstance(references._precision(case), precision)
    with jax.enable_x64(False):
        near = gradient_of(facts, case)
    distance = relative_error(near.theta, found.theta)
    assert 1e-9 < distance < 1e-5


def test_an_example_with_an_encoder_has_references_in_float64():
    """Its scan carries what `jnp.zeros` makes, which is of float64 only where all arrays are; and its loss draws."""
    settings = {"batch": 3, "width": 4}
    with jax.enable_x64(False):
        facts = found("latent_sde_jax.py:latent_sde", settings)
    case = case_of(facts, "jax/backprop", "euler", 22)
    references = JaxModelReferences((), facts)
    exact = references.discrete(case, references.values(case), PATH)
    assert exact is not None
    with jax.enable_x64(False):
        near = gradient_of(facts, case)
    assert 1e-9 < relative_error(near.theta, exact.theta) < 1e-5


def test_a_loss_that_is_another_one_in_float64_is_refused():
    facts = single_facts("of_its_precision")
    case = case_of(facts, "jax/backprop", "heun", 2)
    references = JaxModelReferences((), facts)
    said = (
        r"isn't the same function in float64.*float32 it is 1\.\d+, with all in float64: 0\.[\d]+; with random numbers"
    )
    with pytest.raises(ProblemError, match=said):
        references.discrete(case, references.values(case), PATH)


def test_the_precision_is_left_as_it_was():
    with Promoted().evaluating():
        x = jnp.asarray(np.ones(2), "float64") + jax.random.normal(jax.random.key(0), (2,))
        assert x.dtype == "float64"
        assert jnp.zeros(2).dtype == "float32"
    assert jnp.zeros(2).dtype == "float64"
