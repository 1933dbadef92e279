"""Any problem, form and grid: every exact method, the libraries' too, gives backpropagation's gradient."""

from __future__ import annotations

from typing import Any

import pytest
from gradients import distance, gradient
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tolerances import exact_tolerance

from harness.case import CALCULI, NOISES
from harness.registry import Registry
from harness.supported import with_scheme

REGISTRY = Registry.load()
FAMILIES = {"torch": ("torch", "torchsde", "torchdiffeq"), "jax": ("jax", "diffrax")}
"""Backends whose own samplers aren't compared: a library draws its own noise."""

FINER = {"lorenz": 256}
"""So many steps: with one of ½ its state goes to 1e13 within a step of Runge–Kutta, and a reversal back from
there leaves three digits; by 1/64 Euler's is still unstable."""


@st.composite
def specs(draw: st.DrawFn, noise: str, calculus: str) -> str:
    """A problem that has the form; `neural` of any width."""
    names = [name for name, cls in REGISTRY.problems.items() if cls.unsupported(noise, calculus) is None]
    name = draw(st.sampled_from(names))
    return f"neural(width={draw(st.integers(1, 6))})" if name == "neural" else name


@st.composite
def axes(draw: st.DrawFn, noises: tuple[str, ...] = NOISES) -> dict[str, Any]:
    """A problem, a form, a scheme that solves it, 1 to 12 steps (but see `FINER`), a divisor of these observations."""
    noise, calculus = draw(st.sampled_from(noises)), draw(st.sampled_from(CALCULI))
    problem = draw(specs(noise, calculus))
    dims = [dim for dim in range(1, 5) if has_dimension(problem, noise, calculus, dim)]
    dim = draw(st.sampled_from(dims))
    form = REGISTRY.problem(problem, noise=noise, calculus=calculus, dim=dim)
    fitting = [name for name, scheme in REGISTRY.schemes.items() if scheme.unsupported(form) is None]
    assume(fitting)
    steps = FINER.get(problem, 0) or draw(st.integers(1, 12))
    return {
        "problem": problem,
        "noise": noise,
        "calculus": calculus,
        "dim": dim,
        "scheme": draw(st.sampled_from(fitting)),
        "batch": draw(st.integers(1, 3)),
        "steps": steps,
        "observations": draw(st.sampled_from([n for n in range(1, 13) if steps % n == 0])),
        "seed": draw(st.integers(0, 2**32)),
        "brownian": draw(st.sampled_from(("shared", "own"))),
    }


def has_dimension(problem: str, noise: str, calculus: str, dim: int) -> bool:
    """Some problems have a dimension of their own, or an even one."""
    try:
        REGISTRY.problem(problem, noise=noise, calculus=calculus, dim=dim)
    except ValueError:
        return False
    return True


def power_of_two(n: int) -> bool:
    """Whether the step and all sums of it are exact in binary, times being whole numbers."""
    return n & (n - 1) == 0


def check(make_case, family, axes):
    """All exact methods of a family that take the case against the native backprop; return their names."""
    expected = gradient(REGISTRY, make_case(method=f"{family}/backprop", **axes))
    assert expected.finite()
    met = []
    for name, method in REGISTRY.methods.items():
        case = make_case(method=name, **axes)
        comparable = case.backend == family or (case.backend in FAMILIES[family] and axes["brownian"] == "shared")
        if name == "diffrax/recursive-checkpoint" and case.observations > 1 and not power_of_two(case.steps):
            continue  # test_agreement.py shows where it goes wrong
        refused = with_scheme(REGISTRY.problem_of(case), REGISTRY.schemes[case.scheme], method, case)
        if comparable and method.exact and not method.baseline and refused is None:
            assert distance(gradient(REGISTRY, case), expected) <= exact_tolerance(), name
            met.append(name)
    return met


@settings(max_examples=50, deadline=None, derandomize=True)
@given(axes=axes())
def test_exact_torch_methods_meet_backprop(make_case, axes):
    assert "torch/checkpoint" in check(make_case, "torch", axes)


@pytest.mark.parametrize("noise", NOISES)
def test_exact_jax_methods_meet_backprop(make_case, noise):
    """Few draws a kind of noise, the first of which is the simplest case: each method is compiled."""

    @settings(max_examples=2, deadline=None, derandomize=True)
    @given(axes=axes((noise,)))
    def one(axes):
        assert "jax/checkpoint" in check(make_case, "jax", axes)

    one()


@settings(max_examples=10, deadline=None, derandomize=True)
@given(axes=axes())
def test_both_frameworks_meet(make_case, axes):
    """On the shared path torch and JAX give the same numbers, whatever the scheme."""
    axes = {**axes, "brownian": "shared"}
    torch, jax = (gradient(REGISTRY, make_case(method=f"{f}/backprop", **axes)) for f in ("torch", "jax"))
    assert distance(jax, torch) <= exact_tolerance()
    assert jax.loss == pytest.approx(torch.loss, rel=exact_tolerance())
