"""Four codebases, one path: they must agree to rounding, which proves the injection and the schemes."""

from __future__ import annotations

import itertools

import pytest
from gradients import distance, gradient, path_of, problem_of
from tolerances import agreement_tolerance

from harness.measuring.framework import FRAMEWORKS

EXACT = ("torch/backprop", "jax/backprop", "torchsde/backprop", "diffrax/recursive-checkpoint")
EVERY = ("additive", "scalar", "diagonal", "general")
SETTINGS = [
    (calculus, scheme, noise)
    for calculus, scheme, noises in (
        ("ito", "euler", EVERY),
        ("stratonovich", "heun", EVERY),
        ("stratonovich", "midpoint", EVERY),
        ("stratonovich", "ralston", EVERY),
        ("stratonovich", "euler-heun", EVERY),
        ("ito", "srk", ("additive", "scalar", "diagonal")),
        ("stratonovich", "slowrk", EVERY),
        ("ito", "milstein", EVERY),
        ("stratonovich", "milstein", ("scalar", "diagonal", "general")),  # additive noise is as in Itô's calculus
    )
    for noise in noises
]
REFUSED = {
    "torchsde/backprop": {
        **{("ralston", noise): "ralston of torchsde is not wrapped" for noise in EVERY},
        **{("slowrk", noise): "slowrk of torchsde is not wrapped" for noise in EVERY},
        ("milstein", "scalar"): "transposes",
        ("milstein", "general"): "not general",
    },
    "diffrax/recursive-checkpoint": {
        **{("srk", noise): "SRA1" for noise in EVERY},
        ("euler-heun", "additive"): "twice",
    },
}
DIFFRAX = {
    ("stratonovich", "heun"): EVERY,
    ("stratonovich", "slowrk"): ("diagonal", "general"),
    ("ito", "euler"): ("general",),
    ("stratonovich", "midpoint"): ("diagonal",),
    ("stratonovich", "ralston"): ("general",),
    ("stratonovich", "euler-heun"): ("diagonal",),
    ("ito", "milstein"): ("diagonal",),
    ("stratonovich", "milstein"): ("general",),
}
"""The noises that diffrax is tried with, since it takes seconds to trace. How a path is injected doesn't depend on the
scheme, but on the form of the noise and on whether there is a Lévy area. So one scheme is tried with every form, one
with the area, and each other scheme with diagonal noise or with general noise, a product of arrays. All gradients but
one are those of diffrax/direct, which is traced in half the time."""


def problem_for(scheme: str, noise: str) -> str:
    """`neural`, or a problem whose noise commutes where the scheme needs that."""
    if scheme in ("milstein", "slowrk"):
        return {"diagonal": "neural-commutative", "general": "commuting"}.get(noise, "neural")
    return "neural"


@pytest.mark.parametrize(("calculus", "scheme", "noise"), SETTINGS)
def test_four_backends_agree_pairwise(registry, make_case, calculus, scheme, noise):
    """Those that have the scheme; those that don't say so for the reason expected."""
    axes = {"calculus": calculus, "scheme": scheme, "noise": noise, "problem": problem_for(scheme, noise), "steps": 8}
    names = [name for name in EXACT if (scheme, noise) not in REFUSED.get(name, {})]
    for name in set(EXACT) - set(names):
        reason = registry.methods[name].unsupported(make_case(method=name, **axes))
        assert reason
        assert REFUSED[name][scheme, noise] in reason
    if noise not in DIFFRAX.get((calculus, scheme), ()):
        names = [name for name in names if not name.startswith("diffrax")]
    elif (scheme, noise) != ("heun", "general"):
        names = ["diffrax/direct" if name.startswith("diffrax") else name for name in names]
    found = [gradient(registry, make_case(method=name, **axes)) for name in names]
    for (one, a), (other, b) in itertools.combinations(zip(names, found, strict=True), 2):
        assert distance(a, b) <= agreement_tolerance(), f"{one} and {other}"
        assert a.loss == pytest.approx(b.loss, rel=agreement_tolerance())


def built(registry, case):
    """The gradient of a method that refuses the case."""
    method, problem = registry.methods[case.method], problem_of(registry, case)
    assert method.unsupported(case)
    result = method.build(problem, registry.schemes[case.scheme], case, path_of(problem, case))()
    return FRAMEWORKS[method.framework].read(result)


@pytest.mark.parametrize("calculus", ["ito", "stratonovich"])
def test_why_torchsde_milstein_is_refused_for_scalar_noise(registry, make_case, calculus):
    """It is wrong unless ∂g/∂y is symmetric, as it is in one dimension and where g_i reads y_i alone."""
    axes = {"scheme": "milstein", "noise": "scalar", "calculus": calculus}
    for problem, dim, agrees in (("neural", 3, False), ("neural", 1, True), ("gbm", 3, True)):
        form = {**axes, "problem": problem, "dim": dim}
        ours = gradient(registry, make_case(method="torch/backprop", **form))
        theirs = built(registry, make_case(method="torchsde/backprop", **form))
        assert (distance(theirs, ours) <= agreement_tolerance()) == agrees
        assert agrees or distance(theirs, ours) > 0.01


def test_why_diffrax_euler_heun_is_refused_for_additive_noise(registry, make_case):
    """It is Euler's scheme there, which doesn't see that g moves within a step."""
    theirs = built(registry, make_case(method="diffrax/direct", scheme="euler-heun", noise="additive", steps=8))
    euler, ours = (
        gradient(registry, make_case(method="torch/backprop", scheme=scheme, noise="additive", steps=8))
        for scheme in ("euler", "euler-heun")
    )
    assert distance(theirs, euler) <= agreement_tolerance()
    assert distance(theirs, ours) > 1e-4


@pytest.mark.parametrize(
    ("method", "scheme", "calculus", "problem"),
    [
        ("torchsde/backprop", "srk", "ito", "neural"),
        ("diffrax/direct", "slowrk", "stratonovich", "neural-commutative"),
        ("diffrax/direct", "milstein", "ito", "neural-commutative"),
    ],
)
def test_a_library_draws_what_its_scheme_needs(registry, make_case, method, scheme, calculus, problem):
    """With the library's own sampler, H too: the solution is near that of another sample in law, and is repeatable."""
    axes = {"scheme": scheme, "calculus": calculus, "problem": problem, "batch": 200, "steps": 8}
    own = gradient(registry, make_case(method=method, brownian="own", **axes))
    again = gradient(registry, make_case(method=method, brownian="own", **axes))
    shared = gradient(registry, make_case(method="torch/backprop", **axes))
    assert distance(own, again) == 0
    assert distance(own, shared) > 1e-3  # not the same sample
    assert own.loss == pytest.approx(shared.loss, rel=0.25)  # |y|² has about its mean's spread: 4 standard errors


@pytest.mark.parametrize("scheme", ["srk", "euler-heun"])
def test_torchsde_adjoint_goes_back_with_another_scheme(registry, make_case, scheme):
    """Its bias falls with the steps, by well over half from 16 to 256 for an order of ½ or 1."""
    axes = {"scheme": scheme, "noise": "scalar", "calculus": "ito" if scheme == "srk" else "stratonovich", "batch": 16}
    errors = []
    for steps in (16, 256):
        exact = gradient(registry, make_case(method="torch/backprop", steps=steps, **axes))
        errors.append(distance(gradient(registry, make_case(method="torchsde/adjoint", steps=steps, **axes)), exact))
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize("scheme", ["euler-heun", "milstein", "slowrk"])
def test_backsolve_refuses_what_needs_two_terms(registry, make_case, scheme):
    case = make_case(method="diffrax/backsolve", scheme=scheme, problem="gbm", noise="scalar")
    assert "one term" in registry.methods["diffrax/backsolve"].unsupported(case)


@pytest.mark.parametrize("noise", ["additive", "scalar", "diagonal", "general"])
def test_reversible_heun_is_the_same_scheme_everywhere(registry, make_case, noise):
    names = ["torch/backprop", "torch/reversible", "jax/reversible", "torchsde/backprop", "torchsde/reversible"]
    if noise in ("diagonal", "general"):
        names.append("diffrax/direct")
    found = [gradient(registry, make_case(method=n, scheme="reversible-heun", noise=noise)) for n in names]
    for name, other in zip(names[1:], found[1:], strict=True):
        assert distance(other, found[0]) <= agreement_tolerance(), name


def test_diffrax_checkpoints_go_wrong_where_saved_times_are_inexact(registry, make_case):
    """Nine steps, each saved: with RecursiveCheckpointAdjoint the loss is right and the gradient isn't.

    DirectAdjoint's is, on the same solve; and so is RecursiveCheckpointAdjoint's with another number of checkpoints, or
    with a step that is exact in binary (diffrax 0.7.2, equinox 0.13.8).
    """
    axes = {"problem": "double-well", "noise": "none", "scheme": "euler", "steps": 9, "observations": 9}
    ours, checkpointed, direct = (
        gradient(registry, make_case(method=name, **axes))
        for name in ("jax/backprop", "diffrax/recursive-checkpoint", "diffrax/direct")
    )
    assert distance(direct, ours) <= agreement_tolerance()
    assert checkpointed.loss == pytest.approx(ours.loss, rel=agreement_tolerance())
    assert distance(checkpointed, ours) > 1e-3
    axes |= {"steps": 4, "observations": 4}
    ours, checkpointed = (
        gradient(registry, make_case(method=name, **axes)) for name in ("jax/backprop", "diffrax/recursive-checkpoint")
    )
    assert distance(checkpointed, ours) <= agreement_tolerance()


@pytest.mark.parametrize("scheme", ["heun", "midpoint", "euler", "rk4-38"])
def test_odes_agree_with_torchdiffeq(registry, make_case, scheme):
    axes = {"noise": "none", "scheme": scheme, "observations": 2}
    ours = gradient(registry, make_case(method="torch/backprop", **axes))
    assert distance(gradient(registry, make_case(method="jax/backprop", **axes)), ours) <= agreement_tolerance()
    assert distance(gradient(registry, make_case(method="torchdiffeq/backprop", **axes)), ours) <= agreement_tolerance()


@pytest.mark.parametrize(
    ("ours", "theirs", "scheme"),
    [
        ("torch/backprop", "diffrax/direct", "dopri5"),
        ("torch/adjoint", "diffrax/backsolve", "dopri5"),
    ],
)
def test_odes_agree_with_diffrax(registry, make_case, ours, theirs, scheme):
    axes = {"noise": "none", "scheme": scheme, "observations": 2}
    a, b = (gradient(registry, make_case(method=name, **axes)) for name in (ours, theirs))
    assert distance(a, b) <= agreement_tolerance()


@pytest.mark.parametrize(
    ("scheme", "names"),
    [
        *(
            (scheme, ("torch/adjoint", "torchsde/adjoint", "jax/adjoint", "diffrax/backsolve"))
            for scheme in ("heun", "midpoint")
        ),
        ("ralston", ("torch/adjoint", "jax/adjoint", "diffrax/backsolve")),  # of torchsde it isn't wrapped
    ],
)
def test_the_same_discretised_adjoint_as_the_libraries(registry, make_case, scheme, names):
    """With the forward scheme run backwards, the continuous adjoints of all backends are the same numbers."""
    found = [gradient(registry, make_case(method=name, scheme=scheme)) for name in names]
    for (one, a), (other, b) in itertools.combinations(zip(names, found, strict=True), 2):
        assert distance(a, b) <= agreement_tolerance(), f"{one} and {other}"


@pytest.mark.parametrize(
    ("ours", "theirs", "noise"),
    [
        *(("torch/adjoint", "torchsde/adjoint", noise) for noise in ("additive", "scalar", "general")),
        *(("jax/adjoint", "diffrax/backsolve", noise) for noise in ("additive", "general")),  # scalar: the same product
    ],
)
def test_the_path_is_injected_backwards_whatever_the_noise(registry, make_case, ours, theirs, noise):
    """An increment that differed, or a sign, would show in every digit."""
    a, b = (gradient(registry, make_case(method=name, noise=noise, observations=4)) for name in (ours, theirs))
    assert distance(a, b) <= agreement_tolerance()


@pytest.mark.parametrize(
    ("ours", "theirs"), [("torch/adjoint", "torchsde/adjoint"), ("jax/adjoint", "diffrax/backsolve")]
)
def test_the_path_is_injected_backwards_in_single_precision(registry, make_case, ours, theirs):
    """The same numbers, rounded alike: they differ by what float32 loses in other orders of summation."""
    a, b = (gradient(registry, make_case(method=name, dtype="float32")) for name in (ours, theirs))
    assert distance(a, b) <= 1e-5


@pytest.mark.parametrize(
    ("method", "steps"),
    [
        *itertools.product((*EXACT[:3], "torchsde/reversible", "torchsde/adjoint"), (10, 60)),
        ("diffrax/recursive-checkpoint", 10),
        ("diffrax/direct", 60),
    ],
)
def test_steps_that_are_inexact_in_binary(registry, make_case, method, steps):
    """A library that adds up its steps must not take a sliver of a step more."""
    scheme = "reversible-heun" if method == "torchsde/reversible" else "heun"
    axes = {"steps": steps, "scheme": scheme, "observations": 2}
    ours = "torch/adjoint" if method.endswith("adjoint") else "torch/backprop"
    expected = gradient(registry, make_case(method=ours, **axes))
    # torchsde's step is lengthened by a part in 10^12 for this, which is what the results then differ by.
    tolerance = 1e-10 if method.startswith("torchsde") else agreement_tolerance()
    assert distance(gradient(registry, make_case(method=method, **axes)), expected) <= tolerance
