"""The forward gradient: unbiased, of the variance that theory gives, the same in both frameworks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gradients import distance, gradient, path_of, problem_of

from harness.gradient_arrays import GradientArrays

SMALL = "neural(width=2)"


@pytest.mark.parametrize(("noise", "observations"), [("none", 1), ("general", 4)])
def test_both_frameworks_take_the_same_directions(registry, make_case, noise, observations):
    """So they agree to rounding, though both are far from the gradient."""
    axes = {"problem": SMALL, "noise": noise, "steps": 8, "observations": observations}
    torch = gradient(registry, make_case(method="torch/forward-gradient", **axes))
    jax = gradient(registry, make_case(method="jax/forward-gradient", **axes))
    assert distance(jax, torch) <= 1e-13
    exact = gradient(registry, make_case(method="torch/backprop", **axes))
    assert jax.loss == pytest.approx(exact.loss, rel=1e-13)
    assert distance(jax, exact) > 0.1


def test_directions_are_those_of_the_seed_and_of_the_path(registry, make_case):
    axes = {"problem": SMALL, "method": "torch/forward-gradient", "steps": 4}
    first = gradient(registry, make_case(**axes))
    assert distance(gradient(registry, make_case(**axes)), first) == 0
    assert distance(gradient(registry, make_case(**axes), seed=8), first) > 0.1
    assert distance(gradient(registry, make_case(**axes, seed=4)), first) > 0.1


@pytest.fixture(scope="module")
def draws(registry, make_case):
    """The true gradient, 1,000 gradients of two directions each, and the variances that they claim."""
    import jax

    from harness.methods._directions import directions
    from harness.methods.jax._compile import compile_gradient
    from harness.methods.jax._estimate import estimate
    from harness.methods.jax._solve import JaxSolve

    case = make_case(problem=SMALL, method="jax/forward-gradient", steps=4, batch=2, dim=2)
    exact = gradient(registry, replace(case, method="torch/backprop"))
    problem = problem_of(registry, case)
    path = path_of(problem, case)
    drawn = directions(problem, case, path, 2000)
    pairs = jax.tree.map(lambda v: v.reshape(1000, 2, *v.shape[1:]), drawn)

    def many(solve, y0, theta, noise, pairs):
        return jax.vmap(lambda pair: estimate(solve, y0, theta, noise, pair))(pairs)

    compiled = compile_gradient(many, JaxSolve(problem, registry.schemes[case.scheme], case), path, pairs)
    _, theta, y0, variances = compiled.executable(*compiled.arguments)
    names = sorted(theta)
    found = np.array(
        [
            np.concatenate([*(np.asarray(theta[name][i]).ravel() for name in names), np.asarray(y0[i]).ravel()])
            for i in range(1000)
        ]
    )
    return np.concatenate([exact.theta, exact.y0]), found, np.asarray(variances)


def test_unbiased(draws):
    """Every coordinate's mean over 1,000 draws lies within 4.5 standard errors: one of 40 would not once in 4,000."""
    exact, found, _ = draws
    errors = found.std(0, ddof=1) / np.sqrt(len(found))
    assert (np.abs(found.mean(0) - exact) < 4.5 * errors).all()


def test_variance_is_that_of_normal_directions(draws):
    """Var[(∇L · v) v_i] = |∇L|² + (∂_i L)² for standard normal v; two directions halve it.

    A coordinate's sample variance over 1,000 draws has a relative standard error of 7 % (a mean of two products of
    independent normals has kurtosis 6) to 9 % (of two squares: 9), hence 50 %. The mean over coordinates has that of
    (∇L · v)² over 2,000 directions, 3 %, hence 15 %.
    """
    exact, found, variances = draws
    expected = (exact @ exact + exact**2) / 2
    sample = found.var(0, ddof=1)
    np.testing.assert_allclose(sample, expected, rtol=0.5)
    assert sample.mean() == pytest.approx(expected.mean(), rel=0.15)
    assert variances.mean() == pytest.approx(expected.mean(), rel=0.15)


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_the_gradient_tells_its_variance(registry, make_case, framework):
    """In both frameworks a number of the size that theory says."""
    case = make_case(problem=SMALL, method=f"{framework}/forward-gradient", steps=4)
    problem = problem_of(registry, case)
    path = path_of(problem, case)
    run = registry.methods[case.method].build(problem, registry.schemes[case.scheme], case, path)
    result = run()
    # With 16 directions about |∇L|² / 16 a coordinate.
    exact: GradientArrays = gradient(registry, replace(case, method="torch/backprop"))
    norm = float(exact.theta @ exact.theta + exact.y0 @ exact.y0)
    assert norm / 16 / 4 < float(result.variance) < 4 * norm / 16
    assert float(result.loss) == pytest.approx(exact.loss, rel=1e-13)
