"""Four codebases, one path: they must agree to rounding, which proves the injection and the schemes."""

from __future__ import annotations

import itertools

import pytest
from gradients import distance, gradient

EXACT = ("torch/backprop", "jax/backprop", "torchsde/backprop", "diffrax/recursive-checkpoint")
SETTINGS = [
    (calculus, scheme, noise)
    for calculus, scheme in (("ito", "euler"), ("stratonovich", "heun"), ("stratonovich", "midpoint"))
    for noise in ("additive", "scalar", "diagonal", "general")
]


def agreement_tolerance() -> float:
    """The same operations in another order, over a few dozen steps of float64."""
    return 1e-12


@pytest.mark.parametrize(("calculus", "scheme", "noise"), SETTINGS)
def test_four_backends_agree_pairwise(registry, make_case, calculus, scheme, noise):
    found = [
        gradient(registry, make_case(method=name, calculus=calculus, scheme=scheme, noise=noise)) for name in EXACT
    ]
    for (one, a), (other, b) in itertools.combinations(zip(EXACT, found, strict=True), 2):
        assert distance(a, b) <= agreement_tolerance(), f"{one} and {other}"
        assert a.loss == pytest.approx(b.loss, rel=agreement_tolerance())


@pytest.mark.parametrize("noise", ["additive", "scalar", "diagonal", "general"])
def test_reversible_heun_is_the_same_scheme_everywhere(registry, make_case, noise):
    names = (
        "torch/backprop",
        "torch/reversible",
        "jax/reversible",
        "torchsde/backprop",
        "torchsde/reversible",
        "diffrax/recursive-checkpoint",
    )
    found = [gradient(registry, make_case(method=n, scheme="reversible-heun", noise=noise)) for n in names]
    for name, other in zip(names[1:], found[1:], strict=True):
        assert distance(other, found[0]) <= agreement_tolerance(), name


@pytest.mark.parametrize("scheme", ["heun", "midpoint", "euler", "rk4-38"])
def test_odes_agree_with_torchdiffeq(registry, make_case, scheme):
    axes = {"noise": "none", "scheme": scheme, "observations": 2}
    ours = gradient(registry, make_case(method="torch/backprop", **axes))
    assert distance(gradient(registry, make_case(method="jax/backprop", **axes)), ours) <= agreement_tolerance()
    assert distance(gradient(registry, make_case(method="torchdiffeq/backprop", **axes)), ours) <= agreement_tolerance()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("torch/adjoint", "torchsde/adjoint"),
        ("jax/adjoint", "diffrax/backsolve"),
        ("jax/adjoint", "torch/adjoint"),
    ],
)
@pytest.mark.parametrize("scheme", ["heun", "midpoint"])
def test_the_same_discretised_adjoint_as_the_libraries(registry, make_case, ours, theirs, scheme):
    """With the forward scheme run backwards, the continuous adjoints of all backends are the same numbers."""
    a, b = (gradient(registry, make_case(method=name, scheme=scheme)) for name in (ours, theirs))
    assert distance(a, b) <= agreement_tolerance()


@pytest.mark.parametrize("method", [*EXACT, "torchsde/reversible", "torchsde/adjoint", "diffrax/direct"])
@pytest.mark.parametrize("steps", [10, 60])
def test_steps_that_are_inexact_in_binary(registry, make_case, method, steps):
    """A library that adds up its steps must not take a sliver of a step more."""
    scheme = "reversible-heun" if method == "torchsde/reversible" else "heun"
    axes = {"steps": steps, "scheme": scheme, "observations": 2}
    ours = "torch/adjoint" if method.endswith("adjoint") else "torch/backprop"
    expected = gradient(registry, make_case(method=ours, **axes))
    # torchsde's step is lengthened by a part in 10^12 for this, which is what the results then differ by.
    tolerance = 1e-10 if method.startswith("torchsde") else agreement_tolerance()
    assert distance(gradient(registry, make_case(method=method, **axes)), expected) <= tolerance
