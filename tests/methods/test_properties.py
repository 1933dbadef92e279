"""Any form of problem, any grid: every exact native method gives backpropagation's gradient."""

from __future__ import annotations

import pytest
from gradients import distance, gradient, problem_of
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.case import NOISES


def exact_tolerance() -> float:
    """Rounding of float64 over a dozen steps; reversible schemes rebuild each state, which adds to it."""
    return 1e-11


@st.composite
def axes(draw: st.DrawFn) -> dict[str, object]:
    """A form of `neural` and a grid of 1 to 12 steps, of which the observations are a divisor."""
    steps = draw(st.integers(1, 12))
    return {
        "noise": draw(st.sampled_from(NOISES)),
        "calculus": draw(st.sampled_from(("ito", "stratonovich"))),
        "dim": draw(st.integers(1, 4)),
        "batch": draw(st.integers(1, 3)),
        "steps": steps,
        "observations": draw(st.sampled_from([n for n in range(1, steps + 1) if steps % n == 0])),
        "seed": draw(st.integers(0, 2**32)),
        "brownian": draw(st.sampled_from(("shared", "own"))),
    }


def check(registry, make_case, backend, axes, data):
    """One scheme that solves the form, and all of a backend's exact methods that take it."""
    problem = problem_of(registry, make_case(**axes))
    fitting = [name for name, scheme in registry.schemes.items() if scheme.unsupported(problem) is None]
    scheme = data.draw(st.sampled_from(fitting), label="scheme")
    expected = gradient(registry, make_case(method=f"{backend}/backprop", scheme=scheme, **axes))
    assert expected.loss == expected.loss  # a number
    for name, method in registry.methods.items():
        case = make_case(method=name, scheme=scheme, **axes)
        if case.backend != backend or not method.exact or method.baseline or method.unsupported(case):
            continue
        assert distance(gradient(registry, case), expected) <= exact_tolerance(), name


@settings(max_examples=40, deadline=None, derandomize=True)
@given(axes=axes(), data=st.data())
def test_exact_torch_methods_meet_backprop(registry, make_case, axes, data):
    check(registry, make_case, "torch", axes, data)


@settings(max_examples=3, deadline=None, derandomize=True)
@given(axes=axes(), data=st.data())
def test_exact_jax_methods_meet_backprop(registry, make_case, axes, data):
    """Few, since each is compiled."""
    check(registry, make_case, "jax", axes, data)


@settings(max_examples=4, deadline=None, derandomize=True)
@given(axes=axes(), data=st.data())
def test_both_backends_meet(registry, make_case, axes, data):
    """On the shared path torch and JAX give the same numbers, whatever the scheme."""
    axes = {**axes, "brownian": "shared"}
    problem = problem_of(registry, make_case(**axes))
    fitting = [name for name, scheme in registry.schemes.items() if scheme.unsupported(problem) is None]
    scheme = data.draw(st.sampled_from(fitting), label="scheme")
    torch, jax = (
        gradient(registry, make_case(method=f"{backend}/backprop", scheme=scheme, **axes))
        for backend in ("torch", "jax")
    )
    assert distance(jax, torch) <= exact_tolerance()
    assert jax.loss == pytest.approx(torch.loss, rel=exact_tolerance())
