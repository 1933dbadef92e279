"""The virtual Brownian tree: its law, the same path however it is asked, and gradients that meet on it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gradients import distance, problem_of

from harness.brownian.jax_tree import JaxTree
from harness.brownian.path import coarsen
from harness.brownian.torch_tree import TorchTree, TreeNoise
from harness.brownian.tree import levels
from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.measuring.framework import FRAMEWORKS
from harness.measuring.statistics import log_slope
from harness.registry import Registry
from harness.scheme import increment_of

Cells = tuple[np.ndarray, np.ndarray, np.ndarray]
SPAN = 2.0


def rounding() -> float:
    """Sums and differences of a dozen numbers of order 1, in float64."""
    return 1e-13


def standard_errors() -> float:
    """How far one of some ten thousand estimates may be off: beyond five with a probability of 6e-7 each."""
    return 6.0


def cells(backend: str, case: Case, ticks: int, *, levy_area: bool) -> Cells:
    """W and H of every cell, (ticks, batch, noise_dim), and W at every tick; H is empty without Lévy area."""
    if backend == "torch":
        tree = TorchTree(case, 2, ticks, SPAN, levy_area=levy_area)
        found = [tree.cell(n) for n in range(ticks)]
        at = np.stack([tree.at(n).numpy() for n in range(ticks + 1)])
        H = [x[1].numpy() for x in found if isinstance(x, tuple)]
        return np.stack([increment_of(x).numpy() for x in found]), np.array(H), at
    W, at = _jax_cells(jax.random.key(case.seed), case, ticks, levy_area)
    W, H = (np.asarray(W[0]), np.asarray(W[1])) if levy_area else (np.asarray(W), np.array([]))
    return W, H, np.asarray(at)


@functools.partial(jax.jit, static_argnums=(1, 2, 3))
def _jax_cells(key: Any, case: Case, ticks: int, levy_area: bool) -> Any:
    tree = JaxTree.of(key, case, 2, ticks, SPAN, levy_area=levy_area)
    return tree.cells(jnp.arange(ticks)), jax.vmap(tree.at)(jnp.arange(ticks + 1))


@pytest.mark.parametrize("backend", ["torch", "jax"])
@pytest.mark.parametrize(("ticks", "levy_area"), [(20, False), (6, True)])
def test_the_increments_have_their_law(make_case, backend, ticks, levy_area):
    """W ~ N(0, h), H ~ N(0, h/12), all independent; W at a tick is the sum of the increments before it."""
    W, H, at = cells(backend, make_case(batch=2000), ticks, levy_area=levy_area)
    h = SPAN / ticks
    z = np.concatenate([x.reshape(ticks, -1) / scale for x, scale in ((W, h**0.5), (H, (h / 12) ** 0.5)) if x.size])
    samples = z.shape[1]
    assert np.abs(z @ z.T / samples - np.eye(len(z))).max() < standard_errors() * np.sqrt(2 / samples)
    assert np.abs(z.mean(1)).max() < standard_errors() / np.sqrt(samples)
    assert np.abs(np.diff(at, axis=0) - W).max() <= rounding()
    assert not at[0].any()


@pytest.mark.parametrize("backend", ["torch", "jax"])
@pytest.mark.parametrize(("ticks", "levy_area"), [(12, False), (6, True)])
def test_a_finer_grid_sees_the_same_path(make_case, backend, ticks, levy_area):
    case = make_case()
    W, H, at = cells(backend, case, ticks, levy_area=levy_area)
    fine_W, fine_H, fine_at = cells(backend, case, 2 * ticks, levy_area=levy_area)
    assert np.abs(fine_at[::2] - at).max() <= rounding()
    assert np.abs(fine_W[::2] + fine_W[1::2] - W).max() <= rounding()
    if levy_area:
        assert np.abs(coarsen(fine_W, fine_H)[1] - H).max() <= rounding()


def test_depth_is_logarithmic():
    assert [levels(n) for n in (1, 2, 3, 4, 5, 12, 100, 4096)] == [0, 1, 2, 2, 3, 4, 7, 12]


def test_the_order_of_queries_does_not_matter(make_case):
    tree = TorchTree(make_case(), 2, 20, SPAN)
    noise = TreeNoise(tree)
    forwards = [increment_of(noise[n]) for n in range(20)]
    noise.forget()
    backwards = [increment_of(noise[n]) for n in reversed(range(20))][::-1]
    assert all((a == b).all() for a, b in zip(forwards, backwards, strict=True))
    other = TorchTree(make_case(seed=4), 2, 20, SPAN)
    assert not (increment_of(other.cell(0)) == forwards[0]).any()


@pytest.mark.parametrize(("ticks", "levy_area"), [(20, False), (16, True)])
def test_what_a_walk_holds_changes_no_value(make_case, ticks, levy_area):
    """Cells and ticks at random, by a tree that remembers its last walk and by one that is new for each."""
    tree = TorchTree(make_case(), 2, ticks, SPAN, levy_area=levy_area)
    fresh = functools.partial(TorchTree, make_case(), 2, ticks, SPAN, levy_area=levy_area)
    for n in np.random.default_rng(0).integers(ticks, size=60).tolist():
        assert (tree.at(n) == fresh().at(n)).all()
        assert (increment_of(tree.cell(n)) == increment_of(fresh().cell(n))).all()


def test_cells_in_order_cost_two_cuts_each(make_case, monkeypatch):
    """Where every walk begins at the root, so many cells take twelve cuts each."""
    tree, cuts = TorchTree(make_case(), 2, 4096, SPAN), []
    part = TorchTree._part
    monkeypatch.setattr(TorchTree, "_part", lambda *args: cuts.append(0) or part(*args))
    for n in range(4096):
        tree.cell(n)
    in_order = len(cuts)
    assert in_order < 2 * 4096
    tree.forget()
    tree.cell(0)
    assert len(cuts) == in_order + 12


def test_cells_beyond_the_ends_are_harmless(make_case):
    """A scan asks for the step before the first, and masks it."""
    tree = JaxTree.of(jax.random.key(0), make_case(), 2, 4, SPAN)
    found = tree.cells(jnp.arange(-1, 5))
    assert isinstance(found, jax.Array)
    assert (found[0] == found[1]).all()
    assert (found[-1] == found[-2]).all()


def on_the_tree(registry: Registry, make_case: Callable[..., Case], method: str, **axes: Any) -> GradientArrays:
    """The gradient of a method that has no path but the tree's."""
    case = make_case(**{"method": method, "problem": "example2", "brownian": "tree", "steps": 24, **axes})
    found = registry.methods[method]
    assert found.unsupported(case) is None
    assert "tree" in found.samplers
    run = found.build(problem_of(registry, case), registry.schemes[case.scheme], case, None)
    return FRAMEWORKS[found.framework].read(run())


# A reversal adds the rounding of 24 states, the others sum in another order.
EXACT = [("reversible", "reversible-heun", 1e-11), ("checkpoint", "slowrk", 1e-11)]
MEETING = [
    *(("torch", *each) for each in EXACT),
    *(("jax", *each) for each in EXACT),
    ("torch", "recursive-checkpoint", "slowrk", 1e-11),
    ("torch", "forward", "slowrk", 1e-11),
    ("torch", "finite-differences", "slowrk", 1e-9),  # ε² and rounding 1e-16 / ε, with ε = 6e-6: some 1e-10
    ("torch", "ees", "ees25", 1e-5),  # a step back misses by h³: 3e-7 was measured, another path is off by 0.01
    ("torch", "adjoint", "heun", 0.05),  # its bias is 1e-3 with 24 steps
]


@pytest.mark.parametrize(("backend", "approach", "scheme", "tolerance"), MEETING)
def test_methods_meet_on_the_tree(registry, make_case, backend, approach, scheme, tolerance):
    """The backward pass walks the tree anew: exact methods agree to rounding, with Lévy area too."""
    expected = on_the_tree(registry, make_case, f"{backend}/backprop", scheme=scheme)
    found = on_the_tree(registry, make_case, f"{backend}/{approach}", scheme=scheme)
    assert distance(found, expected) <= tolerance
    if backend == "torch":
        other = on_the_tree(registry, make_case, f"{backend}/backprop", scheme=scheme, seed=4)
        assert distance(other, expected) > 2 * tolerance


@pytest.mark.parametrize(("approach", "scheme", "order"), [("adjoint", "heun", 1), ("ees", "ees25", 2)])
def test_the_bias_falls_on_the_tree(registry, make_case, approach, scheme, order):
    """As on a shared path: forwards and backwards the cells are the same."""
    steps, errors = [8, 32, 128], []
    for n in steps:
        axes = {"problem": "neural-commutative", "scheme": scheme, "steps": n, "batch": 64}
        expected = on_the_tree(registry, make_case, "torch/backprop", **axes)
        errors.append(distance(on_the_tree(registry, make_case, f"torch/{approach}", **axes), expected))
    # 64 paths: slopes of −0.88 and −2.04 were measured; from above it may be better.
    assert log_slope(steps, errors) <= 0.25 - order
