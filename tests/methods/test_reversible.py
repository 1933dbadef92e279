"""Reversible schemes and their inverse."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gradients import path_of, problem_of

from harness.initial import initial_values
from harness.registry import Registry
from harness.scheme import AbstractReversibleScheme
from harness.terms import Terms

NOISES = ("none", "additive", "scalar", "diagonal", "general")
SCHEMES = [name for name, scheme in Registry.load().schemes.items() if scheme.reversible]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_reverse_undoes_step(registry, make_case, scheme):
    """From states that are no solution's, at a time that isn't 0: to rounding, over one step of ordinary size."""
    stepper = registry.schemes[scheme]
    assert isinstance(stepper, AbstractReversibleScheme)
    noise = max(stepper.noises, key=NOISES.index)
    case = make_case(noise=noise, steps=8)
    problem = problem_of(registry, case)
    y0, theta = initial_values(problem, case.batch, case.seed)
    terms = Terms(jnp, problem, jax.tree.map(jnp.asarray, theta))
    path = path_of(problem, case)
    dW = None if path is None else jnp.asarray(path.increments(8)[0][3])
    state = stepper.init(terms, 0.0, jnp.asarray(y0))
    state = (state[0] + 0.1, *state[1:])
    found = stepper.reverse(terms, 0.5, 0.125, stepper.step(terms, 0.375, 0.125, state, dW), dW)
    if scheme == "reversible-heun":  # its state keeps f and g at z, whatever it was given
        found, state = found[:2], state[:2]
    for one, other in zip(found, state, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-14)


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_what_cannot_be_reversed_is_refused(registry, framework):
    method = registry.methods[f"{framework}/reversible"]
    for name, scheme in registry.schemes.items():
        assert (method.unsuited(scheme) is None) == hasattr(scheme, "reverse"), name
    assert "heun can't be stepped back" in method.unsuited(registry.schemes["heun"])


def test_coupled_euler_has_no_form_for_multiplicative_noise(registry, make_case):
    for calculus in ("ito", "stratonovich"):
        problem = problem_of(registry, make_case(noise="diagonal", calculus=calculus))
        assert "noise none, additive" in registry.schemes["coupled-euler"].unsupported(problem)
