"""`pytest --benchmark-only`: every method on a small block, grouped so that the tables compare them."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from harness.case import Case
from harness.measure.framework import FRAMEWORKS
from harness.registry import Registry

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


def cases() -> list[Case]:
    """Each method with each scheme and noise of the block that it can do."""
    found = []
    for noise, scheme in (("diagonal", "heun"), ("diagonal", "reversible-heun"), ("none", "heun")):
        for name, method in REGISTRY.methods.items():
            case = replace(BLOCK, method=name, noise=noise, scheme=scheme)
            if method.unsupported(case) is None:
                found.append(case)
    return found


@pytest.fixture(scope="module", autouse=True)
def one_core():
    """One thread, as in a run: bind the process to a core for the time of the benchmarks."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    yield
    os.sched_setaffinity(0, cores)


@pytest.mark.parametrize("case", cases(), ids=lambda c: f"{c.method}-{c.scheme}-{c.noise}")
def test_method(benchmark, case):
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
    benchmark.group = f"{case.noise} noise, {case.scheme}"
    gradient = benchmark.pedantic(once, rounds=5, warmup_rounds=1)
    assert framework.read(gradient).finite()
