"""The interval of a problem: its own default, what a suite sets, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from gradients import gradient

from harness.problems.neural import Neural


def test_a_suite_may_set_it(registry):
    problem = registry.problem("neural(t0=0.5, t1=2.0)", noise="none", calculus="stratonovich", dim=3)
    assert (problem.t0, problem.t1) == (0.5, 2.0)


def test_a_plain_class_attribute_is_the_default():
    """A problem needn't annotate it, and an instance may have another one still."""

    @dataclass(frozen=True, kw_only=True)
    class Longer(Neural):
        t1 = 4.0

    form: dict[str, Any] = {"noise": "none", "calculus": "stratonovich", "dim": 3}
    assert Longer(**form).t1 == 4.0
    assert Longer(**form, t1=5.0).t1 == 5.0
    assert Neural(**form).t1 == 1.0


def test_a_default_that_no_field_would_take_is_refused():
    """Without the decorator an instance would have the interval of the class above it."""

    class Longer(Neural):
        t1 = 4.0

    with pytest.raises(ValueError, match="Longer sets t0 or t1 and must be a dataclass"):
        Longer(noise="none", calculus="stratonovich", dim=3)


@pytest.mark.parametrize("spec", ["neural(t1=0.0)", "neural(t0=1.0)", "neural(t1=-2.0)", "neural(t1=inf)"])
def test_an_interval_goes_forwards_and_ends(registry, spec):
    with pytest.raises(ValueError, match=r"t0 must be before t1|finite|t1 of neural"):
        registry.problem(spec, noise="none", calculus="stratonovich", dim=3)


@pytest.mark.parametrize("method", ["torch/backprop", "jax/backprop", "torchdiffeq/backprop", "diffrax/direct"])
def test_every_backend_solves_over_it(registry, make_case, method):
    """Twice the interval with twice the steps ends elsewhere, in the same place for all."""
    case = make_case(problem="neural(t0=0.5, t1=2.5)", noise="none", scheme="midpoint", method=method, steps=32)
    found = gradient(registry, case)
    expected = gradient(registry, make_case(problem=case.problem, noise="none", scheme="midpoint", steps=32))
    np.testing.assert_allclose(found.theta, expected.theta, rtol=1e-12, atol=1e-13)
    short = gradient(registry, make_case(noise="none", scheme="midpoint", method=method, steps=32))
    assert abs(found.loss - short.loss) > 1e-3
