"""A JAX model of the tests, probed; and its gradient by a method on a path, in the test's own process."""

from __future__ import annotations

import functools

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.initial import Values
from harness.measuring.framework import FRAMEWORKS
from harness.models.declared import Model
from harness.models.facts import ModelFacts
from harness.models.jax.instance import Instance
from harness.models.jax.probe import probe
from harness.models.jax.subject import JaxModelSubject
from harness.models.source import Source
from harness.registry import Registry
from harness.runner.subject import path_of


def source(name: str) -> Source:
    """Of a model of `jax_models`."""
    return Source(f"jax_models:{name}", "jax_models", name)


@functools.cache
def facts_of(name: str, **settings: object) -> ModelFacts:
    """What the probe finds."""
    return probe(source(name), source(name).model(), settings, seed=0, device="cpu")


def facts_of_model(model: Model) -> ModelFacts:
    """Of a model that a test declares."""
    return probe(Source("a test's", "nowhere", model.name), model, {}, seed=0, device="cpu")


def case_of(facts: ModelFacts, method: str, scheme: str, steps: int, *, brownian: str = "shared") -> Case:
    """A case of the model."""
    return facts.case(problem=facts.source.label, method=method, scheme=scheme, steps=steps, brownian=brownian)


def path_for(facts: ModelFacts, seed: int = 7) -> SharedPath | None:
    """The shared path of the model."""
    return path_of(facts, facts.batch, seed)


@functools.cache
def values_of(facts: ModelFacts) -> Values:
    """The parameters that the model starts from."""
    return Instance(facts.source.model(), dict(facts.settings), 0).values()


def gradient_of(facts: ModelFacts, case: Case) -> GradientArrays:
    """By the case's method, on the shared path or with noise of its own."""
    return gradients_of(facts, case, 1)[0]


def gradients_of(facts: ModelFacts, case: Case, count: int) -> list[GradientArrays]:
    """Several calls of one compiled gradient."""
    subject = JaxModelSubject(case, Registry.load(), values_of(facts), facts)
    compute = subject.build(path_for(facts) if case.brownian == "shared" else None)
    return [FRAMEWORKS["jax"].read(compute()) for _ in range(count)]
