"""Effectively symmetric schemes: their antisymmetric order by rooted trees, and the gradient that it leaves."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from gradients import distance, gradient

from harness.measuring.statistics import log_slope

Tree = tuple["Tree", ...]
"""A rooted tree: the sorted tuple of what hangs from its root."""


@functools.cache
def trees(nodes: int) -> list[Tree]:
    """All rooted trees of so many nodes."""
    return [tuple(sorted(forest)) for forest in _forests(nodes - 1, nodes - 1)]


def _forests(nodes: int, largest: int) -> list[tuple[Tree, ...]]:
    """All multisets of trees of so many nodes in all, none larger than `largest`."""
    if nodes == 0:
        return [()]
    found = {
        tuple(sorted((tree, *rest)))
        for size in range(1, min(largest, nodes) + 1)
        for tree in trees(size)
        for rest in _forests(nodes - size, size)
    }
    return sorted(found)


def stage_weights(a: np.ndarray, tree: Tree) -> np.ndarray:
    """The weights of a tree at each stage, before b is applied (Hairer, Nørsett & Wanner 1993, section II.2)."""
    return np.prod([a @ stage_weights(a, child) for child in tree], axis=0) if tree else np.ones(len(a))


def step_and_back(scheme) -> tuple[np.ndarray, np.ndarray]:
    """The tableau of a step followed by the step with −h."""
    s = len(scheme.b)
    a = np.zeros((2 * s, 2 * s))
    for i, row in enumerate(scheme.a):
        a[i, : len(row)] = row
    b = np.array(scheme.b)
    a[s:, s:] = -a[:s, :s]
    a[s:, :s] = b
    return a, np.concatenate([b, -b])


def test_there_are_as_many_trees_as_there_should_be():
    """Hairer, Nørsett & Wanner 1993, table II.2.1."""
    assert [len(trees(n)) for n in range(1, 9)] == [1, 1, 2, 4, 9, 20, 48, 115]


@pytest.mark.parametrize(("name", "order"), [("ees25", 5), ("ees27", 7), ("heun", 3)])
def test_antisymmetric_order(registry, name, order):
    """To rounding in what vanishes; what doesn't is of the size of products of coefficients."""
    scheme = registry.schemes[name]
    a, b = step_and_back(scheme)
    for nodes in range(1, order + 2):
        largest = max(abs(float(b @ stage_weights(a, tree))) for tree in trees(nodes))
        assert largest < 1e-14 if nodes <= order else largest > 5e-4
    assert np.allclose(np.array([sum(row) for row in scheme.a]), scheme.c)  # so that t counts as one more state


@pytest.mark.parametrize(
    ("scheme", "problem", "noise", "steps", "slope"),
    [
        ("ees25", "neural", "none", [4, 8, 16, 32], -5.0),
        ("ees27", "neural", "none", [2, 4, 8], -7.0),
        # An increment is of size √h: the step back misses by h³ and h⁴, of either sign, over 1/h steps.
        ("ees25", "neural", "scalar", [4, 16, 64], -2.0),
        ("ees27", "neural", "scalar", [4, 16, 64], -3.0),
        ("ees27", "neural", "additive", [4, 16, 64], -3.0),
    ],
)
def test_adjoint_error_falls_steeply(registry, make_case, scheme, problem, noise, steps, slope):
    errors = []
    for n in steps:
        axes = {"scheme": scheme, "problem": problem, "noise": noise, "steps": n, "batch": 16}
        exact = gradient(registry, make_case(method="torch/backprop", **axes))
        errors.append(distance(gradient(registry, make_case(method="torch/ees", **axes)), exact))
    assert log_slope(steps, errors) <= slope + 0.35  # one sample of 16 paths


@pytest.mark.parametrize(("scheme", "noise", "steps"), [("ees25", "diagonal", 64), ("ees27", "general", 8)])
def test_jax_meets_torch(registry, make_case, scheme, noise, steps):
    """The same arithmetic: they agree to rounding where both miss the gradient by far more."""
    axes = {"scheme": scheme, "noise": noise, "steps": steps, "observations": 4}
    torch = gradient(registry, make_case(method="torch/ees", **axes))
    assert distance(gradient(registry, make_case(method="jax/ees", **axes)), torch) <= 1e-12
    assert distance(torch, gradient(registry, make_case(method="torch/backprop", **axes))) > 1e-9


def test_other_schemes_are_refused(registry):
    for framework in ("torch", "jax"):
        ees = registry.methods[f"{framework}/ees"]
        assert "such as ees25" in ees.unsuited(registry.schemes["heun"])
        for scheme in registry.schemes.values():
            assert (ees.unsuited(scheme) is None) == scheme.effectively_symmetric, scheme.name
        assert registry.methods[f"{framework}/reversible"].unsuited(registry.schemes["ees25"])
