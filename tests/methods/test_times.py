"""f and g are evaluated at the same times in every backend: a right-hand side that jumps is seen from one side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from gradients import distance, path_of, read

from harness.case import Case
from harness.clock import Clock
from harness.gradient_arrays import GradientArrays
from harness.grid import Grid
from harness.problem import AbstractProblem
from harness.reference import discrete

KNOTS = 7


@dataclass(frozen=True, kw_only=True)
class Knots(AbstractProblem):
    """A control that is constant between seven knots, as one that is interpolated or a dosing schedule."""

    name = "knots"

    def initial(self, normals: Any, batch: int) -> np.ndarray:
        return normals(batch, self.dim)

    def parameters(self, normals: Any) -> dict[str, np.ndarray]:
        return {"a": normals(self.dim), "u": 5 * normals(KNOTS)}

    def drift(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        u = theta["u"]
        jumps = u - xp.concatenate([0 * u[:1], u[:-1]])
        return -y * theta["a"] + ((t >= xp.asarray(np.arange(KNOTS) / KNOTS)) * jumps).sum()

    def diffusion(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        return 0.1 + 0 * y

    def loss(self, xp: Any, ys: Any) -> Any:
        return (ys**2).mean()


EXACT = [
    *(("none", scheme, f"{backend}/{approach}") for backend in ("torch", "jax") for scheme, approach in [
        ("heun", "backprop"),
        ("rk4", "backprop"),
        ("midpoint", "recursive-checkpoint"),
        ("heun", "symplectic-adjoint"),
        ("reversible-heun", "reversible"),
        ("coupled-heun", "reversible"),
        ("alf", "alf"),
        ("heun", "forward"),
    ]),
    *(("diagonal", scheme, f"{backend}/{approach}") for backend in ("torch", "jax") for scheme, approach in [
        ("heun", "backprop"),
        ("slowrk", "checkpoint"),
        ("reversible-heun", "reversible"),
        ("reversible-heun", "backprop"),
    ]),
    ("none", "heun", "torchdiffeq/backprop"),
    ("none", "midpoint", "torchdiffeq/backprop"),
]  # fmt: skip


@pytest.fixture(scope="module")
def exact(registry) -> Callable[[Knots, Case], GradientArrays]:
    """The discrete reference of a case, which is the same for all methods: it is computed once."""
    found: dict[tuple[Knots, Case], GradientArrays] = {}

    def reference(problem: Knots, case: Case) -> GradientArrays:
        question = problem, replace(case, method="")
        if question not in found:
            found[question] = discrete(problem, registry.schemes[case.scheme], case, path_of(problem, case))
        return found[question]

    return reference


@pytest.mark.parametrize(("noise", "scheme", "method"), EXACT)
@pytest.mark.parametrize("steps", [28, 14])  # with 14, a knot may be in the middle of a step
def test_every_backend_sees_the_same_side_of_a_knot(registry, make_case, exact, noise, scheme, method, steps):
    case = make_case(problem="knots", noise=noise, scheme=scheme, method=method, steps=steps, observations=2)
    problem, it = Knots(noise=noise, calculus="stratonovich", dim=case.dim), registry.methods[method]
    gradient = read(it, it.build(problem, registry.schemes[scheme], case, path_of(problem, case))())
    assert distance(gradient, exact(problem, case)) < 1e-12


def test_the_clock_is_the_same_where_it_is_compiled():
    """As a whole graph, traced as for torch-compile. Inductor itself takes a minute and a half for a solve."""
    clock = Clock(Grid(0.0, 1.0, 28))
    compiled = torch.compile(lambda t: clock.snap(torch, t), fullgraph=True, dynamic=False, backend="aot_eager")
    for n in range(28):
        assert float(compiled(torch.tensor(n / 28 + 1 / 28, dtype=torch.float64))) == clock.times[n + 1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("t0", "t1", "steps"), [(0.0, 1.0, 28), (0.0, 6.4, 64), (-1.3, 2.1, 49), (0.0, 0.7, 1000)])
def test_a_time_is_one_number_however_it_was_computed(dtype, t0, t1, steps):
    """As a Python number, as a tensor and in JAX; from the step's start, its end, or counted from t1."""
    clock, dt = Clock(Grid(t0, t1, steps), dtype), (t1 - t0) / steps
    tolerance = np.finfo(dtype).eps * max(abs(t0), abs(t1))
    snapped = jax.jit(lambda t: clock.snap(jnp, jnp.asarray(t, dtype)))
    assert clock.times[0] == np.dtype(dtype).type(t0)
    assert clock.times[-1] == np.dtype(dtype).type(t1)
    for n in range(0, steps + 1, max(1, steps // 28)):
        expected = clock.times[n]
        assert abs(expected - (t0 + (t1 - t0) * n / steps)) <= tolerance
        for computed in (t0 + n * dt, t0 + (n - 1) * dt + dt, t1 - (steps - n) * dt, float(np.nextafter(expected, 9))):
            assert clock.snap(np, float(computed)) == expected
            assert float(clock.snap(torch, torch.tensor(computed, dtype=torch.float64))) == expected
            assert float(snapped(computed)) == expected
    third = t0 + dt / 3
    assert clock.snap(np, third) == third
