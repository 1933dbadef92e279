"""The cache of references is never believed wrongly."""

from __future__ import annotations

import numpy as np
import pytest
from gradients import path_of, problem_of

from harness.gradient_arrays import GradientArrays
from harness.reference import ReferenceCache
from harness.reference.cache import cache_key

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

    assert key() == key(method="jax/adjoint", scheme="midpoint", dtype="float32", steps=32)
    others = [
        key(seed=4),
        key(problem="neural(width=8)"),
        key(problem="neural-commutative"),
        key(observations=2),
        key(calculus="ito"),
        key(batch=5),
        key(steps=12),
        key(level=128),
        key(kind="closed form"),
    ]
    assert len({key(), *others}) == len(others) + 1


@pytest.mark.parametrize("module", ["fine_grid", "scheme", "package"])
def test_a_changed_code_or_library_meets_no_old_entry(registry, make_case, monkeypatch, module):
    import harness.reference.cache as cache_module

    case = make_case()
    it = problem_of(registry, case)
    before = cache_key("fine grid", it, case, None)
    if module == "package":
        monkeypatch.setattr(cache_module.jax, "__version__", "0")
    else:
        changed = cache_module._code(type(it))
        monkeypatch.setattr(cache_module, "_code", lambda _: (*changed[:-1], f"{changed[-1]}# changed"))
    assert cache_key("fine grid", it, case, None) != before
