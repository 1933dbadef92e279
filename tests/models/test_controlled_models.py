"""The continuous reference of an ODE of a user's own: its steps are controlled where that is possible."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax_probed import gradient_of
from pulse_models import gradient

import harness
from harness.case import Case
from harness.gradient_arrays import GradientArrays, relative_error
from harness.models import controlled
from harness.models.facts import ModelFacts
from harness.models.jax import controlled as controlled_jax
from harness.models.jax.probe import probe as jax_probe
from harness.models.jax.references import JaxModelReferences
from harness.models.jax.solve import Solve
from harness.models.references import AbstractModelReferences
from harness.models.source import Source
from harness.models.torch import controlled as controlled_torch
from harness.models.torch.probe import probe as torch_probe
from harness.models.torch.references import TorchModelReferences
from harness.reference import ode

FRAMEWORKS = pytest.mark.parametrize("framework", ["torch", "jax"])
ROUNDING = 1e-11
DRAWN: list[np.ndarray] = []
"""What the loss of `drawing` drew, each time that it was computed."""


@harness.jax.model
def drawing(solve: Solve) -> object:
    """Its state starts at random numbers, and f reads them, from a key and from NumPy."""

    def loss(a: jax.Array) -> jax.Array:
        drawn = jax.random.normal(jax.random.key(3), (2, 3)) + np.random.normal(size=3).astype(np.float32)
        jax.debug.callback(lambda x: DRAWN.append(np.asarray(x)), drawn)
        states = solve.odeint(lambda t, y, _: jnp.sin(a * t) * drawn - y, drawn, np.linspace(0, 1, 2))
        return (states[-1] ** 2).sum()

    return loss, jnp.ones(3)


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


@FRAMEWORKS
def test_a_reference_of_a_field_with_many_kinks_says_so_and_has_an_honest_bar(
    framework: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The controller gives up at the kinks, at far more evaluations than a smooth field takes."""
    monkeypatch.setattr(controlled, "MOST_EVALUATIONS", 2**11)
    references, case = built(framework, 0.0, kinks=20)
    found, bars = references.continuous(case, references.values(case), 0, [], 1)
    assert "evaluations" in references.remark(case)
    assert relative_error(found.theta, gradient()) <= bars["theta"] < 0.1


@FRAMEWORKS
def test_an_error_that_has_nothing_to_do_with_the_steps_is_raised(
    framework: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no memory")

    module = controlled_torch if framework == "torch" else controlled_jax
    monkeypatch.setattr(module, "controlled_grid", broken)
    references, case = built(framework, 0.0)
    with pytest.raises(RuntimeError, match="no memory"):
        references.continuous(case, references.values(case), 0, [], 1)


@pytest.fixture
def _settings() -> Iterator[None]:
    """A child of references sets the precision of its process."""
    yield
    jax.config.update("jax_enable_x64", True)


@pytest.mark.usefixtures("_settings")
def test_what_a_loss_in_float32_draws_is_the_same_for_every_solve() -> None:
    """For the measured one, for the one by which steps are chosen, and for those of the references."""
    source = Source("a test's", __name__, "drawing")
    with jax.enable_x64(False):
        facts = jax_probe(source, source.model(), {}, seed=0, device="cpu")
        case = facts.case(problem=source.label, method="jax/backprop", scheme="heun", steps=256, brownian="own")
        DRAWN.clear()
        measured = gradient_of(facts, case)
        jax.effects_barrier()
    before = len(DRAWN)
    references = JaxModelReferences((), facts)
    found, _ = references.continuous(case, references.values(case), 0, [], 1)
    jax.effects_barrier()
    assert references.remark(case) == ""
    # One more tries whether JAX draws the same in float64: its numbers aren't those of float32.
    own = [drawn for drawn in DRAWN if np.allclose(drawn, DRAWN[0], rtol=1e-6)]  # a sum, in float32 or float64
    assert 0 < before < len(own) - 4  # the choice of steps, and three solves
    assert len(DRAWN) - len(own) == 1
    assert relative_error(measured.theta, found.theta) < 1e-4  # heun's error
