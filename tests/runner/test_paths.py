"""A case and a reference are computed on path after path: what was compiled for the first serves them all."""

from collections.abc import Iterator

import pytest

from harness.initial import draw
from harness.methods.jax import _compile
from harness.methods.jax._solve import JaxSolve
from harness.methods.torch_compile import _chunks
from harness.runner.child import ProblemReferences
from harness.runner.subject import ProblemSubject

SCHEMES = ("euler", "milstein", "srk", "heun", "midpoint", "ralston", "euler-heun", "reversible-heun")


@pytest.fixture(autouse=True)
def nothing_compiled() -> Iterator[None]:
    """Before and after."""
    for cached in (_compile._executable, _chunks._compiled_forward):
        cached.cache_clear()
    yield
    for cached in (_compile._executable, _chunks._compiled_forward):
        cached.cache_clear()


@pytest.mark.parametrize(
    ("method", "cached"),
    [("jax/backprop", _compile._executable), ("torch-compile/backprop", _chunks._compiled_forward)],
)
def test_a_gradient_is_compiled_once_for_all_paths(registry, make_case, monkeypatch, method, cached):
    """What is counted is how often a program is made, so that inductor needn't make it."""
    monkeypatch.setattr(_chunks, "compile_chunk", lambda function, _: function)
    case = make_case(method=method, steps=4)
    subject = ProblemSubject(case, registry, draw(registry.problem_of(case), case.batch, case.seed))
    for seed in range(3):
        subject.build_checked(subject.path(seed))
    assert cached.cache_info().misses == 1


def test_discrete_references_are_compiled_once_for_each_scheme(registry, make_case):
    """Path by path, the schemes of a block in turn. The values arrive anew with every call, as from another process."""
    references = ProblemReferences(())
    cases = [make_case(scheme=scheme, noise="additive", calculus="stratonovich", steps=4) for scheme in SCHEMES]
    for seed in range(2):
        for case in cases:
            values = draw(registry.problem_of(case), case.batch, case.seed)
            references.discrete(case, values, seed)
    assert _compile._executable.cache_info().misses == len(SCHEMES)


def test_the_states_of_a_solve_are_traced_once_for_all_paths(make_case, monkeypatch):
    traced = []
    forward = JaxSolve.forward
    monkeypatch.setattr(JaxSolve, "forward", lambda *given: (traced.append(1), forward(*given))[1])
    references, case = ProblemReferences(()), make_case(steps=4)
    values = references.values(case)
    found = [references.largest_state(case, values, seed) for seed in range(3)]
    assert len(traced) == 1
    assert len(set(found)) == 3
