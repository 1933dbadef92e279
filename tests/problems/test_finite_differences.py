"""Central finite differences on the shared path confirm the gradient of every problem under every scheme.

They need no derivative of anything, so that they check the problem, the scheme and backpropagation at once. Torch,
which compiles nothing, does every form of every problem with every scheme. JAX does every form of every problem, and
every scheme with every noise and calculus that it solves.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from forms import forms, label
from gradients import gradient, path_of
from loop import equal_times, loop

from harness.gradient_arrays import GradientArrays
from harness.initial import initial_values
from harness.registry import Registry
from harness.terms import Terms

REGISTRY = Registry.load()
FORMS = forms(REGISTRY)
SCHEMES = list(REGISTRY.schemes.values())


def in_turn():
    """Every scheme with every noise and calculus, the problems in turn; and the forms that have not had a turn."""
    chosen = []
    for noise, calculus in dict.fromkeys((form.noise, form.calculus) for form in FORMS):
        left = [form for form in FORMS if (form.noise, form.calculus) == (noise, calculus)]
        for scheme in SCHEMES:
            able = [form for form in left if scheme.unsupported(form) is None]
            if able:
                chosen.append((able[0], scheme))
                left = [form for form in left if form is not able[0]] + [able[0]]
    met = [form for form, _ in chosen]
    rest = [form for form in FORMS if form not in met]
    chosen += [(form, next(scheme for scheme in SCHEMES if scheme.unsupported(form) is None)) for form in rest]
    return [pytest.param(form, scheme, id=f"{label(form)}-{scheme.name}") for form, scheme in chosen]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Several threads on matrices of a few rows wait for each other more than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def all_of_them():
    """Every form of every problem with every scheme that solves it."""
    return [
        pytest.param(problem, scheme, id=f"{label(problem)}-{scheme.name}")
        for problem, scheme in itertools.product(FORMS, SCHEMES)
        if scheme.unsupported(problem) is None
    ]


@pytest.mark.parametrize(("problem", "scheme"), all_of_them())
def test_torch_backprop_meets_finite_differences(make_case, problem, scheme):
    check(make_case, problem, scheme, "torch/backprop", observations=2)


@pytest.mark.parametrize(("problem", "scheme"), in_turn())
def test_jax_backprop_meets_finite_differences(make_case, problem, scheme):
    check(make_case, problem, scheme, "jax/backprop", observations=1)


def tolerance() -> float:
    """Of the slope along a direction: ε² = 1e-10 times a third derivative, and 2e-16 / ε = 2e-11 of the loss."""
    return 1e-6


EPSILON = 1e-5


def check(make_case, problem, scheme, method, *, observations):
    """The derivatives along a random direction of y0 and one of θ, apart, so that neither hides behind the other."""
    case = make_case(
        problem=problem.name,
        noise=problem.noise,
        calculus=problem.calculus,
        scheme=scheme.name,
        method=method,
        dim=problem.dim,
        batch=2,
        steps=8,
        observations=observations,
    )
    found = gradient(REGISTRY, case)
    y0, theta = initial_values(problem, case.batch, case.seed)
    path = path_of(problem, case)
    noise = None if path is None else path.increments(case.steps)
    random = np.random.default_rng(1)
    along_y0 = random.standard_normal(y0.shape)
    along_theta = {name: random.standard_normal(value.shape) for name, value in theta.items()}

    def loss(shift_y0, shift_theta):
        shifted = {name: value + shift_theta * along_theta[name] for name, value in theta.items()}
        return value_of(problem, scheme, y0 + shift_y0 * along_y0, shifted, noise, case)

    assert found.loss == pytest.approx(loss(0.0, 0.0), rel=1e-12)
    slope_y0 = (loss(EPSILON, 0.0) - loss(-EPSILON, 0.0)) / (2 * EPSILON)
    slope_theta = (loss(0.0, EPSILON) - loss(0.0, -EPSILON)) / (2 * EPSILON)
    direction = GradientArrays.of(0.0, along_theta, along_y0)
    assert found.y0 @ direction.y0 == pytest.approx(slope_y0, rel=tolerance())
    assert found.theta @ direction.theta == pytest.approx(slope_theta, rel=tolerance())


def value_of(problem, scheme, y0, theta, noise, case):
    """The loss of the discrete solve, stepped in numpy; in torch where the scheme differentiates g itself."""
    try:
        return float(solve(np, np.asarray, problem, scheme, y0, theta, noise, case))
    except TypeError as error:
        if "no derivatives over numpy" not in str(error):
            raise
    return float(solve(torch, torch.tensor, problem, scheme, y0, theta, noise, case))


def solve(xp, convert, problem, scheme, y0, theta, noise, case):
    terms = Terms(xp, problem, {name: convert(value) for name, value in theta.items()})
    driven = None
    if noise is not None:
        W, H = map(convert, noise)
        driven = list(zip(W, H, strict=True)) if scheme.needs_levy_area else W
    states = loop(scheme, terms, convert(y0), equal_times(problem.t0, problem.t1, case.steps), driven)
    observed = [state[0] for n, state in enumerate(states, 1) if n % (case.steps // case.observations) == 0]
    return problem.loss(xp, xp.stack(observed))
