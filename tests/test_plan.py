"""From suites to cases and blocks."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from harness.case import CALCULI, NOISES, blocks
from harness.errors import InputError
from harness.machine import Machine
from harness.plan import Plan, make_plan
from harness.registry import Registry
from harness.suite import parse_suite, read_suite
from harness.supported import with_scheme

TWO_CORES = Machine(2)
HEAD = "name: tiny\ntitle: A question?\ngrid:\n"


def plan(registry: Registry, grid: str, machine: Machine = TWO_CORES) -> Plan:
    """The plan of a suite with one product."""
    return make_plan(parse_suite(f"{HEAD}  - {{{grid}}}\n", Path("tiny.yaml")), Path("tiny.yaml"), registry, machine)


def test_the_product_of_the_axes(registry):
    made = plan(
        registry,
        "problem: neural, noise: [scalar, general], method: torch/backprop, steps: [8, 16], scheme: heun",
    )
    assert {(c.noise, c.steps) for c in made.cases} == {
        ("scalar", 8),
        ("scalar", 16),
        ("general", 8),
        ("general", 16),
    }
    assert not made.unsupported


def test_every_case_is_either_measured_or_refused_with_a_reason(registry):
    made = plan(registry, "problem: neural, noise: [none, diagonal], method: '*/*', scheme: [heun, milstein, rk4]")
    assert len(made.cases) + len(made.unsupported) == 2 * 3 * len(registry.methods)
    assert all(reason for _, reason in made.unsupported)
    assert not set(made.cases) & {case for case, _ in made.unsupported}


def test_the_reason_is_of_a_scheme_that_the_equation_allows(registry):
    """torchdiffeq's first default scheme isn't for Itô SDEs. That isn't why it can't solve one."""
    made = plan(registry, "problem: neural, noise: diagonal, calculus: ito, method: torchdiffeq/backprop, steps: 8")
    ((case, reason),) = made.unsupported
    assert case.scheme == "euler"
    assert "solves ODEs" in reason


def test_times_of_observations_name_a_case(registry):
    """Equally spaced times are their number, of which there is a case already."""
    grid = "problem: [neural, neural(t1=2.0)], noise: none, method: jax/backprop, steps: 8"
    made = plan(registry, f"{grid}, observations: [2, [0.5, 1.0], [0.3, 1]]")
    assert [(case.problem, case.observations) for case in made.cases] == [
        ("neural", 2),
        ("neural", (0.3, 1.0)),
        ("neural(t1=2.0)", 2),
    ]
    assert len(made.unsupported) == 2
    assert all("t1 = 2" in reason for _, reason in made.unsupported)


def test_schemes_left_out_are_each_methods_default(registry):
    made = plan(
        registry,
        "problem: neural, noise: diagonal, calculus: [ito, stratonovich], method: [torch/backprop, torch/reversible]",
    )
    found = {(c.method, c.calculus): c.scheme for c in made.cases}
    assert found == {
        ("torch/backprop", "ito"): "euler",
        ("torch/backprop", "stratonovich"): "heun",
        ("torch/reversible", "stratonovich"): "reversible-heun",
    }
    ((case, reason),) = made.unsupported
    assert case.method == "torch/reversible"
    assert "stratonovich" in reason


def test_an_ode_is_measured_once_whatever_the_calculus(registry):
    made = plan(
        registry,
        "problem: neural, noise: none, calculus: [ito, stratonovich], brownian: [own, shared], method: torch/backprop",
    )
    assert len(made.cases) == 1


def test_blocks_hold_what_differs_in_method_and_scheme_alone(registry):
    made = plan(
        registry,
        "problem: neural, noise: diagonal, method: torch/*, scheme: [heun, reversible-heun], steps: [8, 16]",
    )
    found = blocks(made.cases)
    assert len(found) == 2
    for block in found:
        assert {replace(case, method="", scheme="") for case in block.cases} == {
            replace(block.cases[0], method="", scheme="")
        }
        assert {case.method for case in block.cases} >= {"torch/backprop", "torch/adjoint", "torch/reversible"}
        assert {case.scheme for case in block.cases} == {"heun", "reversible-heun"}


def test_what_a_method_has_no_sampler_or_stepping_for_is_refused(registry):
    made = plan(registry, "problem: neural, noise: diagonal, method: diffrax/direct, brownian: [own, tree]")
    (reason,) = [reason for _, reason in made.unsupported]
    assert "brownian: tree" in reason
    assert "allowed: own, shared" in reason
    made = plan(registry, "problem: neural, noise: diagonal, method: torch/checkpoint, stepping: [fixed, adaptive]")
    (reason,) = [reason for _, reason in made.unsupported]
    assert "stepping: adaptive" in reason
    assert "allowed: fixed" in reason


def test_tolerances_mean_nothing_where_steps_are_fixed(registry):
    made = plan(registry, "problem: neural, noise: diagonal, method: torch/backprop, atol: [0.1, 0.01], rtol: 0.1")
    assert [(case.rtol, case.atol) for case in made.cases] == [(0.0, 0.0)]


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ("threads: 3", "2 cores"),
        ("device: cuda", "no CUDA device"),
        ("matmul: tf32", "tf32 needs an NVIDIA GPU"),
        ("matmul: tf32, device: cuda, dtype: float64", "tf32 is for products of float32"),
        ("steps: 10, observations: 3", "don't divide"),
        ("noise: none, method: torchsde/backprop", "not ODEs"),
        ("problem: example1, noise: general", "diagonal"),
    ],
)
def test_reasons(registry, grid, words):
    axes = {"problem": "neural", "noise": "diagonal", "method": "torch/backprop"}
    axes.update(part.split(": ") for part in grid.split(", "))
    made = plan(registry, ", ".join(f"{key}: {value}" for key, value in axes.items()))
    assert not made.cases
    assert words in made.unsupported[0][1]


def test_only(registry):
    made = plan(registry, "problem: neural, noise: diagonal, method: '*/backprop', steps: [8, 16]")
    assert {c.method for c in made.only(["method=torch/*", "steps=8"]).cases} == {"torch/backprop"}
    with pytest.raises(InputError, match="axis=glob"):
        made.only(["mehtod=torch/*"])
    with pytest.raises(InputError, match="leaves nothing"):
        made.only(["method=julia/*"])


def test_ids_are_stable_and_tell_cases_apart(registry, make_case):
    """The first is recorded: runs that were begun before an upgrade can be resumed after it."""
    assert make_case().id == "ffd437631f96c5c6"
    made = plan(registry, "problem: neural, noise: [scalar, general], method: '*/backprop', steps: [8, 16]")
    assert len({case.id for case in made.cases}) == len(made.cases)


def test_problem_parameters_are_canonical(registry):
    made = plan(
        registry,
        'problem: ["neural(width=32)", neural, "neural( width = 64 )"], noise: diagonal, method: torch/backprop',
    )
    assert [case.problem for case in made.cases] == ["neural", "neural(width=64)"]


def supported_settings(registry: Registry) -> set[tuple[str, str, str, str]]:
    """Every problem, kind of noise, calculus and scheme that go together."""
    found = set()
    for problem, noise, calculus in itertools.product(registry.problems, NOISES, CALCULI):
        if noise in ("none", "additive") and calculus == "ito":
            continue  # the two calculi are one
        try:
            form = registry.problem(problem, noise=noise, calculus=calculus, dim=6)
        except ValueError:
            continue
        for name, scheme in registry.schemes.items():
            if scheme.unsupported(form) is None:
                found.add((problem, noise, calculus, name))
    return found


@pytest.mark.parametrize("name", ["orders", "exact"])
def test_suites_that_say_every_setting_have_it(registry, name):
    path = Path(__file__).parents[1] / "suites" / f"{name}.yaml"
    cases = make_plan(read_suite(path)[0], path, registry, TWO_CORES).cases
    settings = {(c.problem.partition("(")[0], c.noise, c.calculus, c.scheme) for c in cases}
    supported = supported_settings(registry)
    assert not supported - settings, f"add these to {path.name}: {sorted(supported - settings)}"
    assert not settings - supported


def test_every_exact_method_stands_at_every_setting_that_it_supports(registry):
    """In `exact`. torch-compile's are the PyTorch methods again, and compile for a minute each: left out."""
    path = Path(__file__).parents[1] / "suites" / "exact.yaml"
    cases = make_plan(read_suite(path)[0], path, registry, TWO_CORES).cases
    at: dict[tuple[str, ...], set[str]] = {}
    for case in cases:
        at.setdefault((case.problem, case.noise, case.calculus, case.scheme, str(case.steps)), set()).add(case.method)
    exact = [
        method
        for name, method in registry.methods.items()
        if name.startswith(("torch/", "jax/")) and method.exact and not method.baseline
    ]
    assert len(exact) >= 12
    one_of = {case.block_id + case.scheme: case for case in cases}
    for case in one_of.values():
        problem, scheme = registry.problem_of(case), registry.schemes[case.scheme]
        supporting = {m.name for m in exact if with_scheme(problem, scheme, m, replace(case, method=m.name)) is None}
        there = at[case.problem, case.noise, case.calculus, case.scheme, str(case.steps)]
        assert there == supporting, f"add {sorted(supporting - there)} to {path.name} at {case.setting}"


def test_observations_that_do_not_divide_the_steps_are_refused_for_every_method(registry):
    made = plan(registry, "problem: neural, noise: [none, diagonal], method: '*', steps: 16, observations: 3")
    assert not made.cases
    assert {case.method for case, _ in made.unsupported} == set(registry.methods)
    assert all("don't divide" in reason for _, reason in made.unsupported)
