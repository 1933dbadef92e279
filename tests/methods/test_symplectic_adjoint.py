"""The symplectic adjoint: backpropagation's gradient, by the paper's formulas."""

from __future__ import annotations

import numpy as np
import pytest
from gradients import distance, gradient, problem_of
from tolerances import exact_tolerance

from harness.gradient_arrays import relative_error
from harness.initial import initial_values


@pytest.mark.parametrize("scheme", ["heun", "midpoint", "rk4-38", "dopri5"])
def test_it_is_the_formula_of_the_paper(registry, make_case, scheme):
    """Matsubara et al. 2021 written out in numpy for f(y) = y A; midpoint and dopri5 have stages without a weight."""
    case = make_case(method="torch/symplectic-adjoint", problem="linear", noise="none", scheme=scheme, steps=5)
    tableau, problem = registry.schemes[scheme], problem_of(registry, case)
    y, theta = initial_values(problem, case.batch, case.seed)
    A, h, s = theta["A"], 1 / case.steps, len(tableau.b)

    steps = []
    for _ in range(case.steps):
        Y, f = [], []
        for row in tableau.a:
            Y.append(y + h * sum(a * k for a, k in zip(row, f, strict=False)))
            f.append(Y[-1] @ A)
        steps.append(Y)
        y = y + h * sum(b * k for b, k in zip(tableau.b, f, strict=True))

    lam, A_bar = 2 * y / case.batch, np.zeros_like(A)  # the loss is the mean of |y|²
    weights = [b or h for b in tableau.b]
    for Y in reversed(steps):
        slopes = {}
        for i in reversed(range(s)):
            total = sum((weights[j] * tableau.a[j][i] * slopes[j] for j in slopes), np.zeros_like(lam))
            stage = lam + h * total / tableau.b[i] if tableau.b[i] else total
            slopes[i] = stage @ A.T
            A_bar += h * weights[i] * Y[i].T @ stage
        lam = lam + h * sum(weights[i] * slopes[i] for i in slopes)

    found = gradient(registry, case)
    assert relative_error(found.y0, lam.ravel()) <= exact_tolerance()
    assert relative_error(found.theta, A_bar.ravel()) <= exact_tolerance()


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_single_precision(registry, make_case, backend):
    """Rounding of float32 over 40 steps."""
    axes = {"noise": "none", "scheme": "rk4", "steps": 40, "dtype": "float32"}
    expected = gradient(registry, make_case(method=f"{backend}/checkpoint", **axes))
    found = gradient(registry, make_case(method=f"{backend}/symplectic-adjoint", **axes))
    assert distance(found, expected) <= 1e-5


@pytest.mark.parametrize("backend", ["torch", "jax"])
@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ({"noise": "diagonal", "scheme": "heun"}, "noise none, not diagonal"),
        ({"noise": "none", "scheme": "reversible-heun"}, "which reversible-heun isn't"),
    ],
)
def test_what_it_refuses(registry, make_case, backend, axes, words):
    case = make_case(method=f"{backend}/symplectic-adjoint", **axes)
    method = registry.methods[case.method]
    assert words in (method.unsuited(registry.schemes[case.scheme]) or method.unsupported(case))
