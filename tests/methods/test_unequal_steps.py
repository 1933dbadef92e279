"""Observations at any times: every method steps the same unequal grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from cases import small_case, usual_schemes
from gradients import distance, gradient, path_of, problem_of
from loop import loop

from harness.brownian.path import SharedPath
from harness.grid import Grid
from harness.initial import initial_values
from harness.machine import Machine
from harness.reference.cache import ReferenceCache
from harness.reference.closed_form import closed_form
from harness.reference.discrete_reference import discrete
from harness.reference.sde import sde
from harness.registry import Registry
from harness.supported import whatever_the_scheme, with_scheme
from harness.terms import Terms

TIMES = (0.07, 0.1, 0.55, 1.0)
STEPS = 13
LISTED = [
    (method, scheme, noise)
    for scheme, noise, methods in (
        ("heun", "diagonal", "backprop checkpoint recursive-checkpoint forward finite-differences"),
        ("slowrk", "scalar", "backprop checkpoint"),
        ("reversible-heun", "general", "backprop reversible"),
        ("reversible-heun", "none", "reversible"),
        ("coupled-heun", "additive", "reversible"),
        ("rk4", "none", "backprop symplectic-adjoint recursive-checkpoint"),
        ("alf", "none", "alf"),
    )
    for method in (f"{backend}/{approach}" for approach in methods.split() for backend in ("torch", "jax"))
] + [
    ("diffrax/recursive-checkpoint", "heun", "diagonal"),
    ("diffrax/direct", "heun", "none"),
    ("torchdiffeq/backprop", "midpoint", "none"),
]  # fmt: skip


def others(registry: Registry) -> list[tuple[str, str, str]]:
    """(method, scheme, noise) of every exact native method that isn't listed, with general noise if it takes any."""
    found, listed = [], {name for name, _, _ in LISTED}
    for name, method in registry.methods.items():
        if name.startswith(("torch/", "jax/")) and method.exact and not method.baseline and name not in listed:
            noises = ("general", "none")
            schemes = {noise: usual_schemes(registry, small_case(method=name, noise=noise)) for noise in noises}
            noise = next(noise for noise in noises if schemes[noise])
            found.append((name, schemes[noise][0], noise))
    return found


def by_hand(registry, case) -> tuple[float, list[torch.Tensor]]:
    """The loss and its gradients by θ and y0, of a plain loop over the steps."""
    problem, scheme = problem_of(registry, case), registry.schemes[case.scheme]
    grid = Grid(problem.t0, problem.t1, case.steps, case.observations)
    y0, theta = initial_values(problem, case.batch, case.seed)
    y0 = torch.tensor(y0, requires_grad=True)
    theta = {name: torch.tensor(value, requires_grad=True) for name, value in theta.items()}
    path, noise = path_of(problem, case), None
    if path is not None:
        W, H = map(torch.tensor, path.between(grid.times))
        noise = list(zip(W, H, strict=True)) if scheme.needs_levy_area else list(W)
    terms, ys = Terms(torch, problem, theta), []
    for end, state in zip(grid.times[1:], loop(scheme, terms, y0, grid.times, noise), strict=True):
        if end in case.observations:
            ys.append(state[0])
    loss = problem.loss(torch, torch.stack(ys))
    return loss.item(), list(torch.autograd.grad(loss, [*(theta[name] for name in sorted(theta)), y0]))


@pytest.mark.parametrize(("method", "scheme", "noise"), [*LISTED, *others(Registry.load())])
def test_exact_methods_give_the_gradient_of_a_loop_by_hand(registry, make_case, method, scheme, noise):
    case = make_case(method=method, scheme=scheme, noise=noise, steps=STEPS, observations=TIMES)
    assert_by_hand(registry, case, gradient(registry, case), 1e-6 if "differences" in method else 1e-12)


def assert_by_hand(registry, case, found, tolerance):
    loss, (*theta, y0) = by_hand(registry, case)
    assert found.loss == pytest.approx(loss, rel=1e-12)
    flat = np.concatenate([x.numpy().ravel() for x in theta])
    assert np.linalg.norm(found.theta - flat) < tolerance * np.linalg.norm(flat)
    assert np.linalg.norm(found.y0 - y0.numpy().ravel()) < tolerance * np.linalg.norm(y0.numpy())


@pytest.mark.parametrize(("scheme", "noise"), [("slowrk", "diagonal"), ("reversible-heun", "none")])
def test_the_discrete_reference_is_the_gradient_of_a_loop_by_hand(registry, make_case, scheme, noise):
    problem = "neural" if noise == "none" else "neural-commutative"
    case = make_case(problem=problem, scheme=scheme, noise=noise, steps=STEPS, observations=TIMES)
    problem = problem_of(registry, case)
    found = discrete(problem, registry.schemes[scheme], case, path_of(problem, case))
    assert_by_hand(registry, case, found, 1e-12)


@pytest.mark.parametrize("approach", ["adjoint", "interpolating-adjoint", "ees"])
@pytest.mark.parametrize("noise", ["none", "diagonal"])
def test_biased_methods_converge_and_agree(registry, make_case, approach, noise):
    """Their error against the gradient of the same steps falls, and both frameworks make the same one."""
    scheme = "ees25" if approach == "ees" else "heun"
    errors = []
    for steps in (13, 104):
        case = make_case(method="torch/backprop", scheme=scheme, noise=noise, steps=steps, observations=TIMES)
        exact = gradient(registry, case)
        ours, theirs = (
            gradient(registry, replace(case, method=f"{backend}/{approach}")) for backend in ("torch", "jax")
        )
        assert distance(ours, theirs) < 1e-12
        errors.append(distance(ours, exact))
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize("sampler", ["own", "tree"])
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_samplers_draw_by_the_length_of_each_step(make_case, backend, sampler):
    """dW / √h of every step is standard normal and independent, and so is H / √(h/12); 5 standard errors."""
    case = make_case(brownian=sampler, batch=4000, steps=7, observations=TIMES, method=f"{backend}/backprop")
    grid = Grid(0.0, 1.0, 7, TIMES)
    if backend == "torch":
        from harness.brownian.torch_noise import make_noise

        noise = make_noise(case, 1, grid, None, levy_area=True)
        pairs = [step for step in map(noise.__getitem__, range(7)) if isinstance(step, tuple)]
        W, H = (np.stack([x.numpy() for x in part]) for part in zip(*pairs, strict=True))
    else:
        from harness.brownian.jax_noise import draw, noise_argument

        key = noise_argument(case, 1, grid, None, levy_area=True)
        found = draw(key, 0, 7, case, 1, grid, levy_area=True)
        assert isinstance(found, tuple)
        W, H = map(np.asarray, found)
    scales = np.sqrt(grid.lengths)[:, None]
    z = np.concatenate([W[..., 0] / scales, H[..., 0] / scales * np.sqrt(12)])
    assert np.abs(z.mean(-1)).max() < 5 / np.sqrt(z.shape[1])
    assert np.abs(z.var(-1) - 1).max() < 5 * np.sqrt(2 / z.shape[1])
    assert np.abs(np.corrcoef(z) - np.eye(14)).max() < 5 / np.sqrt(z.shape[1])


def test_the_reference_meets_the_closed_form(registry, make_case, tmp_path):
    """At unequal times, within its bar; and so for a number of observations that divides no power of two."""
    for observations, steps in ((TIMES, 13), (3, 12)):
        case = make_case(problem="gbm", noise="scalar", steps=steps, observations=observations)
        problem = problem_of(registry, case)
        path = SharedPath(8, case.batch, problem.noise_dim)
        exact = closed_form(problem, case, path)
        truth = sde(problem, case, path, ReferenceCache(tmp_path), most_steps=2**11)
        assert exact is not None
        assert distance(truth.gradient, exact) < 3 * max(truth.theta, truth.y0)
        assert max(truth.theta, truth.y0) < 1e-2


@pytest.mark.parametrize(
    ("method", "axes", "reason"),
    [
        ("torchsde/backprop", {}, "one dt"),
        ("diffrax/backsolve", {}, "StepTo"),
        ("torch-compile/backprop", {}, "one length"),
        ("torch/backprop", {"observations": (0.5, 0.6)}, "t1 = 1"),
        ("torch/backprop", {"steps": 3}, "one each"),
    ],
)
def test_what_cannot_step_so_says_why(registry, make_case, method, axes, reason):
    case = make_case(**{"method": method, "steps": STEPS, "observations": TIMES, **axes})
    it, machine = registry.methods[method], Machine(1)
    problem = problem_of(registry, case)
    assert whatever_the_scheme(case, it, machine) is None
    found = with_scheme(problem, registry.schemes[case.scheme], it, case)
    assert found is not None
    assert reason in found


@pytest.mark.parametrize("grid", [{"steps": 90}, {"dt": 0.0123}])
@pytest.mark.parametrize("method", ["backprop", "adjoint", "recursive-checkpoint"])
def test_the_public_solves_meet_the_solution_at_any_times(method, grid):
    """y' = a y, by rk4: y(t) = exp(a t) y0 at every time asked for, and so its derivatives."""
    import jax

    import harness.jax
    import harness.torch

    ts = np.array([0.0, *TIMES])
    weights = np.linspace(1, 2, len(ts))[:, None, None]
    a, y0 = torch.tensor(-1.3, dtype=torch.float64, requires_grad=True), torch.ones(2, 3, dtype=torch.float64)
    ys = harness.torch.odeint(lambda _, y: a * y, y0, ts, method=method, scheme="rk4", **grid)
    (found,) = torch.autograd.grad((ys * torch.tensor(weights)).sum(), a)

    def loss(a):
        ys = harness.jax.odeint(
            lambda _, y, a: a * y, jax.numpy.ones((2, 3)), ts, a, method=method, scheme="rk4", **grid
        )
        return (ys * weights).sum()

    exact = np.exp(-1.3 * ts)
    np.testing.assert_allclose(ys.detach()[:, 0, 0], exact, rtol=1e-8)
    slope = 6 * (weights[:, 0, 0] * ts * exact).sum()
    assert found.item() == pytest.approx(slope, rel=1e-7)
    assert float(jax.grad(loss)(-1.3)) == pytest.approx(slope, rel=1e-7)
