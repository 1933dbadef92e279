"""Names with options: what a suite may write, what cases carry, and what is refused in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from harness.errors import InputError
from harness.method import AbstractGradientMethod
from harness.registry import Registry


@dataclass(frozen=True, kw_only=True)
class Tuned(AbstractGradientMethod):
    """With an option of every type."""

    count: int | None = None
    share: float = 0.5
    quick: bool = False
    mode: str = "plain"

    name = "own/tuned"
    framework = "numpy"
    summary = "tuned"

    def __post_init__(self) -> None:
        if self.count is not None and self.count < 1:
            raise ValueError(f"count must be at least 1, given {self.count}")

    def unsupported(self, case):
        return None

    def build(self, problem, scheme, case, path):
        raise NotImplementedError


@pytest.fixture
def own() -> Registry:
    registry = Registry()
    registry.add(Tuned, "test")
    return registry


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ("own/tuned", ["own/tuned"]),
        ("own/*", ["own/tuned"]),
        ("own/tuned()", ["own/tuned"]),
        ("own/tuned(count=3)", ["own/tuned(count=3)"]),
        (" own/tuned( share = 1e-3 ,count=3 ) ", ["own/tuned(count=3, share=0.001)"]),
        ("own/tuned(count=None, mode=plain)", ["own/tuned"]),
        ("own/tuned(quick=true, mode=fancy)", ["own/tuned(mode=fancy, quick=True)"]),
        ("own/tuned(count=[1, 2])", ["own/tuned(count=1)", "own/tuned(count=2)"]),
        ("own/*(count=[1, 2], share=[0.5, 1])", [
            "own/tuned(count=1)", "own/tuned(count=1, share=1.0)",
            "own/tuned(count=2)", "own/tuned(count=2, share=1.0)",
        ]),
    ],
)  # fmt: skip
def test_what_cases_carry(own, spec, names):
    assert own.match_methods(spec) == names
    for name in names:
        assert own.match_methods(name) == [name]
        assert isinstance(own.method(name), Tuned)


def test_options_reach_the_method(own):
    method = own.method("own/tuned(count=3, mode=fancy, quick=True, share=0.25)")
    assert (method.count, method.mode, method.quick, method.share) == (3, "fancy", True, 0.25)
    assert own.methods["own/tuned"].count is None


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("own/none", "'own/none' names no method"),
        ("own/tuned(", "is no name with options"),
        ("own/tuned(count)", "'count' is no parameter of own/tuned"),
        ("own/tuned(size=3)", "'size' is no parameter of own/tuned"),
        ("own/tuned(count=1, count=2)", "the parameter count of own/tuned stands twice"),
        ("own/tuned(count=few)", "count of own/tuned must be an integer or null, given 'few'"),
        ("own/tuned(count=1.5)", "count of own/tuned must be an integer or null"),
        ("own/tuned(count=true)", "count of own/tuned must be an integer or null"),
        ("own/tuned(share=inf)", "share of own/tuned must be a finite number"),
        ("own/tuned(quick=1)", "quick of own/tuned must be true or false"),
        ("own/tuned(count=[])", "must be a value or a list"),
        ("own/tuned(count=0)", "count must be at least 1, given 0"),
        ("own/tuned(count=[1, 0])", "count must be at least 1, given 0"),
    ],
)
def test_what_is_refused(own, spec, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(").replace("[", r"\[")):
        own.match_methods(spec)


def test_a_default_that_is_no_field_is_refused(own):
    """A subclass without the decorator would be built with the default of the class above it."""

    class More(Tuned):
        name = "own/more"
        count = 7

    with pytest.raises(InputError, match="More sets count and must be a dataclass"):
        own.add(More, "test")


def test_a_problem_has_no_lists(registry):
    with pytest.raises(ValueError, match="width of neural must be an integer, given"):
        registry.problems_named("neural(width=[16, 32])")


@pytest.mark.parametrize("method", ["torch/recursive-checkpoint", "diffrax/recursive-checkpoint"])
def test_an_option_makes_another_case_of_the_same_approach(registry, make_case, method):
    plain, tuned = make_case(method=method), make_case(method=f"{method}(checkpoints=3)")
    assert plain.id != tuned.id
    assert plain.block_id == tuned.block_id
    assert (tuned.backend, tuned.approach) == (plain.backend, plain.approach)
    assert registry.method(tuned.method).checkpoints == 3
