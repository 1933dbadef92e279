"""What is found of a model whose errors are large: an unstable solve, or a right-hand side that jumps."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from harness.case import Case
from harness.models.facts import ModelFacts
from harness.models.jax.probe import probe as jax_probe
from harness.models.jax.references import JaxModelReferences
from harness.models.references import AbstractModelReferences
from harness.models.source import Source
from harness.models.torch.probe import probe as torch_probe
from harness.models.torch.references import TorchModelReferences
from harness.reference import ode


def built(framework: str, kind: str, scheme: str = "euler") -> tuple[AbstractModelReferences, Case, ModelFacts]:
    """Its references, and a case of 8 steps. The probe sees the smooth kind, whose equation has the same form."""
    source, _ = Source.of(f"unstable_models:in_{framework}", Path())
    probe = torch_probe if framework == "torch" else jax_probe
    smooth = probe(source, source.model(), {"kind": "smooth"}, seed=0, device="cpu")
    facts = replace(smooth, settings=(("kind", kind),))
    case = facts.case(problem=source.label, method=f"{framework}/backprop", scheme=scheme, steps=8)
    return (TorchModelReferences if framework == "torch" else JaxModelReferences)((), facts), case, facts


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_the_largest_state_is_known_of_a_solve_and_of_the_solution(framework, monkeypatch):
    """Euler's factor is 1 − 60 · 0.7 / 8 = −4.25 a step; the solution never exceeds its start."""
    monkeypatch.setattr(ode, "COARSEST", 2**6)
    references, case, _ = built(framework, "stiff")
    values = references.values(case)
    assert references.largest_state(case, values, 0) == pytest.approx(2 * 4.25**8)
    solution, _ = references.continuous(case, values, 0, [], 1)
    assert solution.largest == pytest.approx(2.0)


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_a_solve_that_is_not_finite_says_so(framework):
    references, case, _ = built(framework, "exploding")
    found = references.discrete(case, references.values(case), 0)
    assert found is not None
    assert not found.finite()
    assert found.largest is not None
    assert not math.isfinite(found.largest)


@pytest.mark.parametrize("framework", ["torch", "jax"])
@pytest.mark.parametrize(("kind", "jumps"), [("smooth", False), ("jumping", True)])
def test_a_jump_at_a_time_of_the_grid_is_met(framework, kind, jumps):
    references, case, _ = built(framework, kind, "heun")
    assert references.meets_a_jump(case, references.values(case), 0) is jumps
