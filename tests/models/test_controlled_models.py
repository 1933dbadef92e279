"""The continuous reference of an ODE of a user's own: its steps are controlled where that is possible."""

from __future__ import annotations

from pathlib import Path

import pytest
from pulse_models import gradient

from harness.case import Case
from harness.gradient_arrays import GradientArrays, relative_error
from harness.models import controlled
from harness.models.facts import ModelFacts
from harness.models.jax.probe import probe as jax_probe
from harness.models.jax.references import JaxModelReferences
from harness.models.references import AbstractModelReferences
from harness.models.source import Source
from harness.models.torch.probe import probe as torch_probe
from harness.models.torch.references import TorchModelReferences
from harness.reference import ode

FRAMEWORKS = pytest.mark.parametrize("framework", ["torch", "jax"])
ROUNDING = 1e-11


@pytest.fixture(autouse=True)
def _fewer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """An eighth of the usual numbers, for pulses that are eight times as wide."""
    monkeypatch.setattr(controlled, "LONGEST", 62)
    monkeypatch.setattr(ode, "COARSEST", 2**5)


def built(framework: str, width: float, **settings: object) -> tuple[AbstractModelReferences, Case]:
    """Its references, and a case of 8 steps."""
    source, _ = Source.of(f"pulse_models:in_{framework}", Path())
    probe = torch_probe if framework == "torch" else jax_probe
    facts: ModelFacts = probe(source, source.model(), {"width": width, **settings}, seed=0, device="cpu")
    case = facts.case(problem=source.label, method=f"{framework}/backprop", scheme="heun", steps=8)
    return (TorchModelReferences if framework == "torch" else JaxModelReferences)((), facts), case


def continuous(framework: str, width: float) -> tuple[GradientArrays, float]:
    """The reference, and its bar."""
    references, case = built(framework, width)
    found, bars = references.continuous(case, references.values(case), 0, [], 1)
    return found, bars["theta"]


@FRAMEWORKS
def test_a_pulse_that_equal_steps_misjudge_is_found(framework: str) -> None:
    """The bar is the disagreement with equal steps."""
    found, bar = continuous(framework, 8e-3)
    assert relative_error(found.theta, gradient()) < ROUNDING < bar


def test_a_smooth_model_is_known_to_rounding() -> None:
    references, case = built("torch", 0.0)
    found, bars = references.continuous(case, references.values(case), 0, [], 1)
    assert relative_error(found.theta, gradient()) <= bars["theta"] < ROUNDING
    assert references.remark(case) == ""


@FRAMEWORKS
def test_a_field_of_first_derivatives_alone_has_equal_steps(framework: str) -> None:
    references, case = built(framework, 0.0, once=True)
    found, bars = references.continuous(case, references.values(case), 0, [], 1)
    assert relative_error(found.theta, gradient()) <= bars["theta"] < ROUNDING
    assert "derivative" in references.remark(case)


def test_steps_that_cannot_be_controlled_leave_equal_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their bar is too small for the pulse, so that the tests above are about something."""
    monkeypatch.setattr(controlled, "MOST_EVALUATIONS", 100)
    references, case = built("torch", 0.0)
    found, bars = references.continuous(case, references.values(case), 0, [], 1)
    bar = bars["theta"]
    assert "more than 100 evaluations" in references.remark(case)
    assert relative_error(found.theta, gradient()) <= bar < ROUNDING
    found, bar = continuous("torch", 8e-3)
    assert relative_error(found.theta, gradient()) > bar
