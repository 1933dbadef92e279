"""The forward solve alone."""

from __future__ import annotations

import numpy as np
import pytest
from cases import small_case
from gradients import counting_problem, gradient

METHODS = [(f"{framework}/solve", noise) for framework in ("torch", "jax") for noise in ("none", "diagonal")]


@pytest.mark.parametrize(("method", "noise"), METHODS)
def test_its_loss_is_that_of_the_gradient(registry, method, noise):
    case = small_case(method=method, noise=noise, observations=4)
    alone = gradient(registry, case)
    whole = gradient(registry, small_case(method=method.replace("solve", "backprop"), noise=noise, observations=4))
    assert alone.loss == pytest.approx(whole.loss, rel=1e-13)
    assert alone.theta.shape == whole.theta.shape
    assert alone.y0.shape == whole.y0.shape
    assert not np.any(alone.theta)
    assert not np.any(alone.y0)


@pytest.mark.parametrize("method", ["torch/solve", "jax/solve"])
def test_it_evaluates_f_and_g_as_often_as_the_scheme(registry, method):
    case = small_case(method=method)
    problem, counts = counting_problem(registry, case)
    gradient(registry, case, problem=problem)
    of_f, of_g = registry.schemes["heun"].work("diagonal")
    assert (counts["f"], counts["g"]) == (of_f * case.steps, of_g * case.steps)
