"""Gradients of cases, computed in the test's own process."""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.gradient_arrays import GradientArrays, relative_error
from harness.initial import Values, draw
from harness.measuring.framework import FRAMEWORKS
from harness.method import AbstractGradientMethod, Gradient
from harness.problem import AbstractProblem
from harness.registry import Registry
from harness.supported import with_scheme


def problem_of(registry: Registry, case: Case) -> AbstractProblem:
    """The case's problem."""
    return registry.problem(case.problem, noise=case.noise, calculus=case.calculus, dim=case.dim)


def values_of(case: Case) -> Values:
    """y0 and θ of a case of a built-in problem."""
    return draw(Registry.load().problem_of(case), case.batch, case.seed)


def path_of(problem: AbstractProblem, case: Case, seed: int = 7) -> SharedPath | None:
    """A shared path for the case, None where it draws its own noise or has none."""
    if problem.noise == "none" or case.brownian == "own":
        return None
    return SharedPath(seed, case.batch, problem.noise_dim, problem.t0, problem.t1)


def gradient(registry: Registry, case: Case, seed: int = 7, problem: AbstractProblem | None = None) -> GradientArrays:
    """The gradient that the case's method gives, of its problem or of another one."""
    problem = problem or problem_of(registry, case)
    method = registry.methods[case.method]
    assert with_scheme(problem, registry.schemes[case.scheme], method, case) is None
    run = method.build(problem, registry.schemes[case.scheme], case, path_of(problem, case, seed))
    return read(method, run())


def read(method: AbstractGradientMethod, result: Gradient) -> GradientArrays:
    """A method's gradient in NumPy, once it has been computed and all that JAX calls back has been called."""
    import jax

    framework = FRAMEWORKS[method.framework]
    framework.wait(result)
    jax.effects_barrier()
    return framework.read(result)


def counting_problem(registry: Registry, case: Case) -> tuple[AbstractProblem, Counter[str]]:
    """The case's problem, and how often its f and g have been evaluated; many states abreast are one evaluation.

    In JAX a traced evaluation counts whenever it is run; one whose derivatives are taken too counts once.
    """
    import jax

    problem, calls = problem_of(registry, case), Counter()
    kind: Any = type(problem)

    def count(xp: Any, name: str) -> None:
        if xp is jax.numpy:
            jax.debug.callback(lambda: calls.update((name,)))
        else:
            calls[name] += 1

    class _Counting(kind):
        def drift(self, xp: Any, *arguments: Any) -> Any:
            count(xp, "f")
            return super().drift(xp, *arguments)

        def diffusion(self, xp: Any, *arguments: Any) -> Any:
            count(xp, "g")
            return super().diffusion(xp, *arguments)

    return _Counting(noise=case.noise, calculus=case.calculus, dim=case.dim), calls


def distance(value: GradientArrays, truth: GradientArrays) -> float:
    """The larger of the relative errors of θ and of y0."""
    return max(relative_error(value.theta, truth.theta), relative_error(value.y0, truth.y0))
