"""The native methods: the order of the biased ones, finite differences, and their own sampler."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from gradients import distance, gradient, problem_of
from loop import last
from tolerances import exact_tolerance

from harness.grid import Grid
from harness.measuring.statistics import log_slope
from harness.scheme import increment_of


@pytest.mark.parametrize(
    ("noise", "calculus", "scheme", "slope"),
    [
        # Orders of the adjoint's own error. Non-commutative noise leaves ½; the ODE schemes keep theirs.
        ("none", "stratonovich", "heun", -2.0),
        ("none", "stratonovich", "rk4", -4.0),
        ("diagonal", "stratonovich", "heun", -1.0),
        ("general", "stratonovich", "midpoint", -0.5),
        ("diagonal", "ito", "euler", -0.5),
    ],
)
@pytest.mark.parametrize("method", ["torch/adjoint", "jax/adjoint"])
def test_adjoint_error_falls_with_the_steps(registry, make_case, method, noise, calculus, scheme, slope):
    steps = [16, 64, 256]
    errors = []
    for n in steps:
        axes = {"noise": noise, "calculus": calculus, "scheme": scheme, "steps": n, "batch": 16}
        exact = gradient(registry, make_case(method="torch/backprop", **axes))
        errors.append(distance(gradient(registry, make_case(method=method, **axes)), exact))
    assert all(later < earlier for earlier, later in pairwise(errors))
    # One sample of 16 paths: within 0.35 of the order, from above it may be better.
    assert log_slope(steps, errors) <= slope + 0.35


@pytest.mark.parametrize("method", ["torch/backprop", "jax/backprop"])
@pytest.mark.parametrize("noise", ["none", "additive", "scalar", "diagonal", "general"])
def test_gradient_meets_finite_differences(registry, make_case, method, noise):
    """Central differences in float64, on the same path: truncation ε² and rounding 1e-16 / ε balance near 1e-10."""
    from harness.brownian.path import SharedPath
    from harness.gradient_arrays import relative_error
    from harness.initial import initial_values
    from harness.terms import Terms

    case = make_case(method=method, noise=noise, steps=8)
    problem = problem_of(registry, case)
    scheme = registry.schemes[case.scheme]
    y0, theta = initial_values(problem, case.batch, case.seed)
    W = None if noise == "none" else SharedPath(7, case.batch, problem.noise_dim).increments(case.steps)[0]

    def loss(y0: np.ndarray, theta: dict[str, np.ndarray]) -> float:
        y1 = last(scheme, Terms(np, problem, theta), y0, W, case.steps)
        return float(problem.loss(np, y1[None]))

    eps = 1e-5
    found = []
    for name in sorted(theta):
        for index in np.ndindex(theta[name].shape):
            up, down = ({**theta, name: theta[name].copy()} for _ in range(2))
            up[name][index] += eps
            down[name][index] -= eps
            found.append((loss(y0, up) - loss(y0, down)) / (2 * eps))
    assert relative_error(gradient(registry, case).theta, np.array(found)) <= 1e-8


@pytest.mark.parametrize(
    "method", ["torch/backprop", "torch/reversible", "jax/backprop", "jax/reversible", "jax/adjoint"]
)
def test_own_sampler_is_redrawn_and_deterministic(registry, make_case, method):
    """The backward pass must redraw what the forward pass drew: with the own sampler, exact methods agree too."""
    case = make_case(method=method, scheme="reversible-heun", brownian="own", steps=100)
    first, second = gradient(registry, case), gradient(registry, case)
    assert distance(first, second) == 0
    backend = method.partition("/")[0]
    other = gradient(
        registry,
        make_case(method=f"{backend}/checkpoint", scheme="reversible-heun", brownian="own", steps=100),
    )
    bias = 0.1 if method.endswith("adjoint") else exact_tolerance()
    assert distance(first, other) <= bias
    assert (
        distance(
            gradient(
                registry,
                make_case(method=method, scheme="reversible-heun", brownian="own", steps=100, seed=4),
            ),
            first,
        )
        > 0.01
    )


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_own_sampler_has_the_right_moments(registry, make_case, backend):
    """dW ~ N(0, dt), independent over steps: the mean and the covariance of many draws, within 5 standard errors."""
    case = make_case(method=f"{backend}/backprop", brownian="own", dim=4, batch=250, steps=64)
    grid, dt = Grid(0.0, 1.0, case.steps), 1 / case.steps
    if backend == "torch":
        from harness.brownian.torch_noise import TorchNoise

        noise = TorchNoise(case, 4, grid, levy_area=False)
        dW = np.stack([increment_of(noise[n]).numpy() for n in range(64)])
        assert (increment_of(noise[3]).numpy() == dW[3]).all()
    else:
        from harness.brownian.jax_noise import draw, noise_argument

        key = noise_argument(case, 4, grid, None)
        dW = np.asarray(draw(key, 0, 64, case, 4, grid))
        assert (np.asarray(draw(key, 3, 1, case, 4, grid))[0] == dW[3]).all()
    z = dW.reshape(64, -1) / np.sqrt(dt)
    samples = z.size
    assert abs(z.mean()) < 5 / np.sqrt(samples)
    assert abs(z.var() - 1) < 5 * np.sqrt(2 / samples)
    correlation = np.corrcoef(z)
    assert np.abs(correlation - np.eye(64)).max() < 6 / np.sqrt(z.shape[1])
