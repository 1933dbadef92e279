"""`pytest --benchmark-only`: every method on a small block, grouped so that the tables compare them."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from harness.case import Case
from harness.measuring.framework import FRAMEWORKS
from harness.registry import Registry
from harness.supported import with_scheme

REGISTRY = Registry.load()
BLOCK = Case(
    problem="neural",
    noise="diagonal",
    calculus="stratonovich",
    scheme="heun",
    method="",
    dim=10,
    batch=64,
    steps=64,
    observations=1,
    dtype="float32",
    device="cpu",
    threads=1,
    brownian="own",
    seed=0,
)


SMALL = replace(BLOCK, problem="neural(width=4)", dim=2, batch=16, dtype="float64")
"""For methods whose time grows with the number of parameters, or that want float64."""
BY_PARAMETER = ("forward", "finite-differences")


def cases() -> list[Case]:
    """Each method with each scheme and noise of its block that it can do, or else with its default scheme."""
    found = []
    for name, method in REGISTRY.methods.items():
        approach = name.partition("/")[2]
        block = replace(SMALL if approach in BY_PARAMETER else BLOCK, method=name)
        settings = [("diagonal", "heun"), ("diagonal", "reversible-heun"), ("none", "heun")]
        usual = [case for case in (replace(block, noise=n, scheme=s) for n, s in settings) if supported(case)]
        others = (replace(block, noise=n, scheme=s) for n in ("diagonal", "none") for s in method.default_schemes)
        found += usual or [case for case in others if supported(case)][:1]
    return found


def supported(case: Case) -> bool:
    """Whether scheme and method can do it."""
    problem = REGISTRY.problem(case.problem, noise=case.noise, calculus=case.calculus, dim=case.dim)
    return with_scheme(problem, REGISTRY.schemes[case.scheme], REGISTRY.methods[case.method], case) is None


@pytest.fixture(scope="module", autouse=True)
def one_core():
    """One thread, as in a run: bind the process to a core for the time of the benchmarks."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    yield
    os.sched_setaffinity(0, cores)


@pytest.mark.parametrize("case", cases(), ids=lambda c: f"{c.method}-{c.scheme}-{c.noise}")
def test_method(benchmark, case, pytestconfig):
    framework = FRAMEWORKS[REGISTRY.methods[case.method].framework]
    if case.method.startswith("torch"):
        framework.configure(case)
    problem = REGISTRY.problem(case.problem, noise=case.noise, calculus=case.calculus, dim=case.dim)
    run = REGISTRY.methods[case.method].build(problem, REGISTRY.schemes[case.scheme], case, None)

    def once():
        gradient = run()
        framework.wait(gradient)
        return gradient

    once()
    benchmark.group = f"{case.noise} noise, {case.scheme}, {case.problem}"
    gradient = benchmark.pedantic(once, rounds=pytestconfig.getoption("benchmark_min_rounds"), warmup_rounds=1)
    assert framework.read(gradient).finite()
