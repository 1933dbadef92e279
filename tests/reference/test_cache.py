"""The cache of references is never believed wrongly."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
from gradients import path_of, problem_of

import harness.reference.cache as cache_module
from harness.gradient_arrays import GradientArrays
from harness.reference import ReferenceCache
from harness.reference.cache import cache_key
from harness.reference.sources import sources
from harness.registry import Registry

MADE = GradientArrays(1.0, np.arange(3.0), np.ones(2))


@pytest.fixture
def question(registry, make_case):
    """Some question."""
    case = make_case()
    it = problem_of(registry, case)
    return ("fine grid", it, case, path_of(it, case), 64)


def test_it_returns_what_was_stored(tmp_path, question):
    cache = ReferenceCache(tmp_path)
    cache.get(question, lambda: MADE)
    again = cache.get(question, lambda: pytest.fail("computed twice"))
    assert again.loss == 1.0
    assert (again.theta == MADE.theta).all()


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not really", b"garbage"])
def test_a_damaged_entry_is_computed_again(tmp_path, question, damage):
    cache = ReferenceCache(tmp_path)
    cache.get(question, lambda: MADE)
    (entry,) = tmp_path.iterdir()
    entry.write_bytes(damage)
    assert cache.get(question, lambda: MADE).loss == 1.0
    cache.get(question, lambda: pytest.fail("not mended"))


@pytest.mark.parametrize("mask", [0x01, 0x40, 0xFF])
def test_a_flip_at_any_byte_is_no_failure_and_tells_nothing_wrong(tmp_path, question, mask):
    cache = ReferenceCache(tmp_path)
    cache.get(question, lambda: MADE)
    (entry,) = tmp_path.iterdir()
    whole = entry.read_bytes()
    for place in range(len(whole)):
        entry.write_bytes(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])
        found = cache.get(question, lambda: MADE)
        assert found.loss == MADE.loss
        assert (found.theta == MADE.theta).all()
        assert (found.y0 == MADE.y0).all()


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path, question):
    (tmp_path / "file").write_text("")
    assert ReferenceCache(tmp_path / "file").get(question, lambda: MADE).loss == 1.0


def test_that_there_is_no_answer_is_asked_again(tmp_path, question):
    cache = ReferenceCache(tmp_path)
    assert cache.get(question, lambda: None) is None
    assert cache.get(question, lambda: MADE) is MADE


def test_keys_tell_apart_what_matters_and_nothing_else(registry, make_case):
    def key(kind="fine grid", level=64, **axes):
        case = make_case(**axes)
        it = problem_of(registry, case)
        return cache_key(kind, it, case, path_of(it, case), level)

    assert key() == key(method="jax/adjoint", scheme="midpoint", dtype="float32", steps=12)
    others = [
        key(seed=4),
        key(problem="neural(width=8)"),
        key(problem="neural-commutative"),
        key(observations=2),
        key(calculus="ito"),
        key(batch=5),
        key(level=128),
        key(kind="closed form"),
    ]
    assert len({key(), *others}) == len(others) + 1


@pytest.fixture
def key(registry, make_case):
    """A key of `neural`, the code read anew."""
    case = make_case()
    it = problem_of(registry, case)

    def made() -> str:
        cache_module._code.cache_clear()
        return cache_key("fine grid", it, case, None)

    yield made
    cache_module._code.cache_clear()


CODE = list(cache_module._code(Registry.load().problems["neural"]))


def test_all_code_of_ours_that_a_reference_runs_is_known():
    assert {"harness.arithmetic", "harness.terms", "harness.random", "harness.brownian.path"} <= set(CODE)
    assert {"harness.schemes.slowrk", "harness.schemes.heun", "harness.schemes._runge_kutta"} <= set(CODE)
    assert {"harness.problems.neural", "harness.problems._forms", "harness.problem"} <= set(CODE)
    assert not [name for name in CODE if name.startswith(("harness.report", "harness.cli", "harness.runner"))]


@pytest.mark.parametrize("module", CODE)
def test_a_changed_module_meets_no_old_entry(key, monkeypatch, module):
    before, read = key(), Path.read_text
    file = Path(str(importlib.import_module(module).__file__))
    monkeypatch.setattr(
        Path, "read_text", lambda path, **how: read(path, **how) + ("# changed" if path == file else "")
    )
    assert key() != before


@pytest.mark.parametrize("library", ["jax", "jaxlib", "diffrax", "equinox", "numpy"])
def test_another_version_of_a_library_meets_no_old_entry(key, monkeypatch, library):
    before, version = key(), cache_module.version
    monkeypatch.setattr(cache_module, "version", lambda name: "0" if name == library else version(name))
    assert key() != before


def test_a_plugin_s_own_modules_are_followed(tmp_path, monkeypatch):
    (tmp_path / "my_problem.py").write_text("def f():\n    from my_formulas import g\n")
    (tmp_path / "my_formulas.py").write_text("import numpy\nfrom harness.arrays import A\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = sources([importlib.import_module("my_problem")])
    assert list(found) == ["harness.arrays", "my_formulas", "my_problem"]
