"""The public solves with adaptive steps: the harness's own gradients, at any times, under JAX's transformations."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from gradients import distance, problem_of

import harness.jax
import harness.torch
from harness.gradient_arrays import GradientArrays
from harness.initial import initial_values
from harness.measuring.framework import FRAMEWORKS

ODE = {"problem": "linear", "noise": "none", "brownian": "own", "scheme": "dopri5", "atol": 1e-6}
SDE = {"problem": "gbm", "noise": "scalar", "brownian": "tree", "scheme": "heun", "atol": 1e-2}
TIMES = (0.07, 0.1, 0.55, 1.0)


def same_steps() -> float:
    """The same arithmetic by another route."""
    return 1e-13


def public_gradient(registry, case) -> GradientArrays:
    """The gradient of a case by `sdeint` or `odeint`, with the case's own y0, θ, sample and loss."""
    problem = problem_of(registry, case)
    y0, theta = initial_values(problem, case.batch, case.seed)
    ends = case.observations
    ts = np.linspace(0, 1, ends + 1) if isinstance(ends, int) else np.array([0.0, *ends])
    options: dict[str, Any] = {"method": case.approach, "scheme": case.scheme, "steps": case.steps, "atol": case.atol}
    if case.backend == "torch":
        start = torch.tensor(y0, requires_grad=True)
        tensors = {name: torch.tensor(value, requires_grad=True) for name, value in theta.items()}

        class Own:
            noise_type, sde_type = case.noise, case.calculus

            def f(self, t, y):
                return problem.drift(torch, t, y, tensors)

            def g(self, t, y):
                return problem.diffusion(torch, t, y, tensors)

        if case.noise == "none":
            ys = harness.torch.odeint(Own().f, start, ts, **options)
        else:
            ys = harness.torch.sdeint(Own(), start, ts, seed=case.seed, **options)
        found = problem.loss(torch, ys[1:])
        y0_bar, *bars = torch.autograd.grad(found, [start, *tensors.values()])
        return GradientArrays.of(found.detach(), dict(zip(tensors, bars, strict=True)), y0_bar)

    def drift(t, y, theta):
        return problem.drift(jnp, t, y, theta)

    def diffusion(t, y, theta):
        return problem.diffusion(jnp, t, y, theta)

    def loss(y0, theta):
        if case.noise == "none":
            ys = harness.jax.odeint(drift, y0, ts, theta, **options)
        else:
            key, form = jax.random.key(case.seed), {"noise_type": case.noise, "sde_type": case.calculus}
            ys = harness.jax.sdeint(drift, diffusion, y0, ts, theta, key=key, **form, **options)
        return problem.loss(jnp, ys[1:])

    value, (y0_bar, bars) = jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))(*jax.tree.map(jnp.asarray, (y0, theta)))
    return GradientArrays.of(value, bars, y0_bar)


@pytest.mark.parametrize("observations", [2, TIMES], ids=["equal", "unequal"])
@pytest.mark.parametrize("axes", [ODE, SDE], ids=["ode", "sde"])
@pytest.mark.parametrize("approach", ["backprop", "adjoint"])
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_gradients_are_the_harnesss_own(registry, make_case, backend, approach, axes, observations):
    case = make_case(
        **axes, stepping="adaptive", method=f"{backend}/{approach}", steps=6, observations=observations, batch=2
    )
    method = registry.methods[case.method]
    run = method.build(problem_of(registry, case), registry.schemes[case.scheme], case, None)
    own = FRAMEWORKS[backend].read(run())
    found = public_gradient(registry, case)
    assert found.loss == pytest.approx(own.loss, rel=same_steps())
    assert distance(found, own) <= same_steps()


@pytest.mark.parametrize("framework", ["torch", "jax"])
@pytest.mark.parametrize("method", ["backprop", "adjoint"])
def test_the_solution_is_met_at_any_times(framework, method):
    """y' = a y: y(t) = exp(a t) y0 at every time asked for, and so its derivative."""
    ts = np.array([0.0, *TIMES])
    weights = np.linspace(1, 2, len(ts))[:, None, None]
    options: dict[str, Any] = {"method": method, "scheme": "dopri5", "rtol": 1e-7, "atol": 1e-9}
    if framework == "torch":
        a, y0 = torch.tensor(-1.3, dtype=torch.float64, requires_grad=True), torch.ones(2, 3, dtype=torch.float64)
        ys = harness.torch.odeint(lambda _, y: a * y, y0, ts, **options)
        (slope,) = torch.autograd.grad((ys * torch.tensor(weights)).sum(), a)
        ys = ys.detach().numpy()
    else:

        def solve(a):
            return harness.jax.odeint(lambda _, y, a: a * y, jnp.ones((2, 3)), ts, a, **options)

        ys, slope = np.asarray(solve(-1.3)), jax.grad(lambda a: (solve(a) * weights).sum())(-1.3)
    exact = np.exp(-1.3 * ts)
    np.testing.assert_allclose(ys[:, 0, 0], exact, rtol=1e-6)
    assert float(slope) == pytest.approx(6 * (weights[:, 0, 0] * ts * exact).sum(), rel=1e-5)


def test_under_vmap_each_solve_takes_its_own_steps():
    ts = [0.0, 1.0]

    def loss(a):
        ys = harness.jax.odeint(lambda _, y, a: -a * y**3, jnp.ones((1, 1)), ts, a, method="backprop", atol=1e-4)
        return ys[-1].sum()

    rates = jnp.array([0.1, 1.0, 30.0])
    together = jax.vmap(jax.grad(loss))(rates)
    np.testing.assert_allclose(together, [jax.grad(loss)(a) for a in rates], rtol=1e-12)


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_gradients_agree_with_differences(framework):
    """Of an SDE, whose ticks are so far apart that the lengths of the steps don't move with a small change of a."""
    ts = [0.0, 0.4, 1.0]
    options: dict[str, Any] = {"method": "backprop", "scheme": "heun", "atol": 1e-2}

    class Sde:
        noise_type, sde_type = "scalar", "stratonovich"

        def __init__(self, a):
            self.a = a

        def f(self, t, y):
            return -self.a * y + t

        def g(self, t, y):
            return (0.5 * self.a * y)[:, :, None]

    def by_torch(a):
        y0 = torch.ones(2, 1, dtype=torch.float64)
        return harness.torch.sdeint(Sde(a), y0, ts, seed=3, **options).square().sum()

    @jax.jit
    def by_jax(a):
        functions = (lambda t, y, a: Sde(a).f(t, y), lambda t, y, a: Sde(a).g(t, y))
        noise: dict[str, Any] = {"noise_type": "scalar", "key": jax.random.key(3)}
        ys = harness.jax.sdeint(*functions, jnp.ones((2, 1)), ts, a, **noise, **options)
        return (ys**2).sum()

    if framework == "torch":
        a = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(by_torch(a), a)
        differences = [float(by_torch(a.detach() + eps)) for eps in (1e-6, -1e-6)]
    else:
        slope = jax.grad(by_jax)(0.7)
        differences = [float(by_jax(0.7 + eps)) for eps in (1e-6, -1e-6)]
    # Truncation ε² and rounding 1e-16 / ε.
    assert float(slope) == pytest.approx((differences[0] - differences[1]) / 2e-6, rel=1e-8)


def test_a_float32_solve_in_a_process_with_float64():
    ts, y0 = [0.0, 0.3, 1.0], jnp.ones((2, 1), jnp.float32)

    def last(a):
        return harness.jax.odeint(lambda _, y, a: -a * y, y0, ts, a, method="adjoint", atol=1e-3)[-1].sum()

    slope = jax.grad(last)(jnp.float32(0.5))
    assert slope.dtype == jnp.float32
    assert float(slope) == pytest.approx(-2 * np.exp(-0.5), rel=1e-2)


@pytest.mark.parametrize("method", ["backprop", "adjoint"])
def test_what_takes_too_many_steps_is_not_a_number(method):
    options: dict[str, Any] = {"method": method, "scheme": "euler", "atol": 1e-12}
    y0 = torch.ones(1, 1, requires_grad=True)
    ys = harness.torch.odeint(lambda _, y: -y, y0, [0.0, 0.5, 1.0], **options)
    assert ys.shape == (3, 1, 1)
    assert ys[1:].isnan().all()
    assert torch.autograd.grad(ys.sum(), y0)[0].isnan().all()

    def loss(y0):
        return harness.jax.odeint(lambda _, y, __: -y, y0, [0.0, 0.5, 1.0], **options).sum()

    value, slope = jax.value_and_grad(loss)(jnp.ones((1, 1)))
    assert jnp.isnan(value)
    assert jnp.isnan(slope).all()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"method": "reversible", "atol": 1e-3}, "adaptive"),
        ({"method": "backprop", "atol": -1.0}, "at least 0"),
        ({"method": "backprop", "rtol": float("nan")}, "at least 0"),
        ({"method": "backprop", "atol": 1e-3, "steps": 4, "dt": 0.1}, "either"),
        ({"method": "backprop"}, "either"),
    ],
)
def test_what_adaptive_steps_cannot_be_is_refused(given, reason):
    with pytest.raises(ValueError, match=reason):
        harness.jax.odeint(lambda _, y, __: -y, jnp.ones((1, 1)), [0.0, 1.0], **given)
    with pytest.raises(ValueError, match=reason):
        harness.torch.odeint(lambda _, y: -y, torch.ones(1, 1), [0.0, 1.0], **given)


@pytest.mark.parametrize(
    ("noise", "given", "reason"),
    [("diagonal", False, "commutative"), ("scalar", True, "adaptive steps read the noise")],
)
def test_noise_that_adaptive_steps_cannot_follow_is_refused(noise, given, reason):
    def diffusion(_, y, __=None):
        return y if noise == "diagonal" else y[:, :, None]

    def path(_, __):
        return jnp.zeros((1, 1))

    class Sde:
        noise_type, sde_type = noise, "stratonovich"

        def f(self, t, y):
            return -y

        def g(self, t, y):
            return diffusion(t, y)

    driver: dict[str, Any] = {"path": path} if given else {"key": jax.random.key(0)}
    with pytest.raises(ValueError, match=reason):
        harness.jax.sdeint(
            lambda _, y, __: -y,
            diffusion,
            jnp.ones((1, 1)),
            [0.0, 1.0],
            noise_type=noise,
            method="backprop",
            scheme="heun",
            atol=1e-3,
            **driver,
        )
    bm: dict[str, Any] = {"bm": lambda _, __: torch.zeros(1, 1)} if given else {}
    with pytest.raises(ValueError, match=reason):
        harness.torch.sdeint(Sde(), torch.ones(1, 1), [0.0, 1.0], method="backprop", scheme="heun", atol=1e-3, **bm)
