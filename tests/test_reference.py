"""The reference: its bar holds, memory is bounded, the cache is never believed wrongly."""

from __future__ import annotations

import numpy as np
import pytest
from gradients import path_of, problem_of

import harness.reference as reference_module
from harness.gradient_arrays import GradientArrays, relative_error
from harness.reference import Reference, ReferenceCache, cache_key, continuous, discrete


@pytest.fixture
def small(monkeypatch):
    """Coarser fine grids: the same code, faster."""
    monkeypatch.setattr(reference_module, "FINE_STEPS", dict.fromkeys(reference_module.FINE_STEPS, 1024))


@pytest.mark.parametrize(
    ("problem", "noise"),
    [("example1", "diagonal"), ("example2", "diagonal"), ("example3", "additive"), ("linear", "none")],
)
@pytest.mark.parametrize("observations", [1, 2])
def test_the_bar_covers_the_distance_to_the_closed_form(
    registry, make_case, small, monkeypatch, problem, noise, observations
):
    for seed in range(3):
        case = make_case(
            problem=problem, noise=noise, calculus="ito", scheme="euler", observations=observations, seed=seed
        )
        it = problem_of(registry, case)
        path = path_of(it, case, seed) or reference_module.SharedPath(0, 1, 0)
        exact = continuous(it, case, path)
        assert exact.error == reference_module.ROUNDING
        with monkeypatch.context() as patch:
            patch.setattr(type(it), "solution", lambda *_: None)
            numeric = continuous(it, case, path)
        for part in ("theta", "y0"):
            distance = relative_error(getattr(numeric.gradient, part), getattr(exact.gradient, part))
            # RK4 reaches rounding, where the bar is a floor and a few hundred steps add up to more.
            assert distance <= max(numeric.error, 1e-12)


def test_discrete_is_the_gradient_of_the_cases_own_solve(registry, make_case):
    from gradients import gradient

    case = make_case(method="torch/backprop", steps=8)
    it = problem_of(registry, case)
    path = path_of(it, case)
    assert path is not None
    found = discrete(it, registry.schemes["heun"], make_case(method="torch/adjoint", dtype="float32", steps=8), path)
    assert relative_error(found.theta, gradient(registry, case).theta) < 1e-13


def test_relative_errors_at_zero():
    zero, one = np.zeros(2), np.ones(2)
    assert relative_error(zero, zero) == 0
    assert relative_error(one, zero) == float("inf")


@pytest.fixture
def made() -> Reference:
    """Some reference."""
    return Reference(GradientArrays(1.0, np.arange(3.0), np.ones(2)), 0.25)


def test_the_cache_returns_what_was_stored(tmp_path, made):
    cache = ReferenceCache(tmp_path)
    cache.get("key", lambda: made)
    again = cache.get("key", lambda: pytest.fail("computed twice"))
    assert again.error == 0.25
    assert (again.gradient.theta == made.gradient.theta).all()


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not really", b"garbage"])
def test_a_damaged_entry_is_computed_again(tmp_path, made, damage):
    cache = ReferenceCache(tmp_path)
    cache.get("key", lambda: made)
    (tmp_path / "key.npz").write_bytes(damage)
    assert cache.get("key", lambda: made).error == 0.25
    cache.get("key", lambda: pytest.fail("not mended"))


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path, made):
    (tmp_path / "file").write_text("")
    assert ReferenceCache(tmp_path / "file").get("key", lambda: made).error == 0.25


def test_keys_tell_apart_what_matters_and_nothing_else(registry, make_case):
    def key(**axes):
        case = make_case(**axes)
        it = problem_of(registry, case)
        path = path_of(it, case)
        assert path is not None
        return cache_key(it, case, path)

    assert key() == key(method="jax/adjoint", scheme="midpoint", dtype="float32")
    others = [
        key(dim=4),
        key(noise="general"),
        key(batch=5),
        key(seed=4),
        key(problem="neural(width=8)"),
        key(observations=2),
        key(calculus="ito"),
    ]
    assert len({key(), *others}) == len(others) + 1
