"""The models of docs/examples: their gradients are those that the libraries give without the harness."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest
import torch
from commands import command
from model_examples import (
    EXAMPLES,
    FOLDER,
    PATH_SEED,
    SEED,
    by_hand,
    by_harness,
    case_of,
    path_for,
    precision,
    tiny,
    values_of,
)
from tolerances import agreement_tolerance, exact_tolerance, same_call_tolerance

from harness.gradient_arrays import relative_error
from harness.models.choice import Asked, choose
from harness.models.declared import declare
from harness.models.torch.instance import Instance
from harness.models.torch.references import TorchModelReferences
from harness.models.torch.subject import solver_of
from harness.registry import Registry
from harness.supported import with_scheme

REVERSIBLE = "reversible-heun"


@pytest.fixture(autouse=True)
def one_thread():
    """The models are tiny: more threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def library_cases() -> list[tuple[str, str, str]]:
    """Every example with every method of its library, and a scheme."""
    usual = [(name, method, example.scheme) for name, example in EXAMPLES.items() for method in example.methods]
    return [*usual, ("generator", "torchsde/reversible", REVERSIBLE)]


def native_cases() -> list[tuple[str, str, str]]:
    """Those whose solve torchsde and torchdiffeq have too: where every observation is the end of one of their steps."""
    unrolled = ("torch/backprop", "torch/checkpoint", "torch/recursive-checkpoint")
    found = [(name, method, EXAMPLES[name].scheme) for name in EXAMPLES if name != "latent_sde" for method in unrolled]
    odes = [name for name, example in EXAMPLES.items() if example.methods[0].startswith("torchdiffeq")]
    found += [(name, "torch/symplectic-adjoint", "heun") for name in odes]
    return [*found, ("generator", "torch/reversible", REVERSIBLE)]


@pytest.mark.parametrize("file", sorted({example.spec.partition(":")[0] for example in EXAMPLES.values()}))
def test_an_example_is_short_and_says_how_it_is_run(file):
    text = (FOLDER / file).read_text()
    assert len(text.splitlines()) < 80
    specs = {f"docs/examples/{e.spec}" for e in EXAMPLES.values() if e.spec.startswith(file)}
    assert any(f"python -m harness try {spec}" in text for spec in specs)


def test_every_model_of_the_folder_is_tested():
    tested = {example.spec.partition(":")[0] for example in EXAMPLES.values()}
    assert tested == {path.name for path in FOLDER.glob("*.py") if "@harness.torch.model" in path.read_text()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_methods_of_the_library_and_native_ones_are_chosen(name):
    facts = tiny(name, torch.float32)
    asked = Asked("it", facts.source.label, minutes=60.0)
    grids = choose(asked, {"it": facts}, Registry.load()).suite.grid
    methods = {method for grid in grids for method in grid.method}
    assert {*EXAMPLES[name].methods, "torch/backprop", "torch/checkpoint", "torch/adjoint"} <= methods


@pytest.mark.parametrize(("name", "method", "scheme"), library_cases())
def test_a_library_method_gives_what_the_library_gives(name, method, scheme):
    facts = tiny(name, torch.float32)
    case = case_of(facts, method, scheme, EXAMPLES[name].steps)
    ours, theirs = by_harness(facts, case), by_hand(facts, case, EXAMPLES[name])
    tolerance = same_call_tolerance(torch.finfo(torch.float32).eps)
    assert relative_error(ours.loss, theirs.loss) < tolerance
    assert relative_error(ours.theta, theirs.theta) < tolerance


@pytest.mark.parametrize(("name", "method", "scheme"), native_cases())
def test_an_exact_native_method_gives_what_the_library_backpropagates(name, method, scheme):
    facts, registry = tiny(name, torch.float64), Registry.load()
    case = case_of(facts, method, scheme, EXAMPLES[name].steps)
    assert with_scheme(facts, registry.schemes[scheme], registry.method(method), case) is None
    theirs = case_of(facts, EXAMPLES[name].methods[0], scheme, EXAMPLES[name].steps)
    if scheme == REVERSIBLE:
        theirs = case_of(facts, "torchsde/reversible", scheme, EXAMPLES[name].steps)
    expected = by_hand(facts, theirs, EXAMPLES[name])
    tolerance = exact_tolerance(reconstructed=scheme == REVERSIBLE)
    assert relative_error(by_harness(facts, case).theta, expected.theta) < tolerance


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_discrete_reference_is_the_library_in_float64(name):
    facts, example = tiny(name, torch.float64), EXAMPLES[name]
    case = case_of(facts, example.methods[0], example.scheme, example.steps)
    with precision(torch.float64):
        found = TorchModelReferences((), facts).discrete(case, values_of(facts), PATH_SEED)
    assert found is not None
    assert found is not None
    assert relative_error(found.theta, by_hand(facts, case, example).theta) < agreement_tolerance()


@pytest.mark.parametrize("method", ["backprop", "checkpoint", "adjoint", "reversible"])
def test_f_and_g_halves_the_calls_of_a_shared_trunk(method):
    """Counted between two numbers of steps, so that what is done once is left out."""
    scheme = REVERSIBLE if method == "reversible" else "heun"
    calls = {
        (kind, steps): calls_of_the_trunk(kind, f"torch/{method}", scheme, steps)
        for kind in ("together", "apart")
        for steps in (8, 24)
    }
    together, apart = (calls[kind, 24] - calls[kind, 8] for kind in ("together", "apart"))
    assert 0 < 2 * together == apart


def calls_of_the_trunk(kind: str, method: str, scheme: str, steps: int) -> int:
    """In one gradient of the generator."""
    facts, calls = tiny("generator", torch.float32), Counter[str]()
    facts.source.model()
    module = sys.modules["harness_model_f_and_g"]

    class Apart(module.Generator):
        """The same equation, each function by itself."""

        f_and_g = None

        def f(self, t, y):
            return module.Generator.f_and_g(self, t, y)[0]

        def g(self, t, y):
            return module.Generator.f_and_g(self, t, y)[1]

    def counted(solve):
        xs, ts = module.data(facts.batch)
        model = (module.Generator if kind == "together" else Apart)(5)
        model.trunk.register_forward_hook(lambda *_: calls.update(["trunk"]))
        return lambda: module.discrepancy(xs, model(facts.batch, ts, solve.sdeint)), model.parameters()

    registry, case = Registry.load(), case_of(facts, method, scheme, steps)
    solver = solver_of(registry.method(method), registry.schemes[scheme], case, facts, path_for(facts))
    Instance(declare("torch", counted), {}, SEED, solver).gradient()
    return calls["trunk"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where the command line is called."""
    return tmp_path_factory.mktemp("project")


TINY = (f"{FOLDER / 'f_and_g.py'}:generator", "--set", "batch=4", "--set", "width=4", "--steps", "8")
FEW = ("--methods", "torch/backprop,torch/reversible,torchsde/backprop", "--measure", "time,adjoint_error")


def test_the_command_measures_an_example_and_recommends_a_method(folder):
    found = command(folder, "try", *TINY, *FEW, "--minutes", "0.2")
    assert found.returncode == 0, found.stderr
    assert all(name in found.stdout for name in ("torch/backprop", "torch/reversible", "torchsde/backprop"))
    assert any(line.startswith("- ") for line in found.stdout.splitlines())
    assert "torch/reversible" in (folder / "report" / "generator.html").read_text()


def test_the_suite_that_is_written_can_be_run(folder):
    wrote = command(folder, "try", *TINY, *FEW, "--write-suite", "suites/mine.yaml")
    assert wrote.returncode == 0, wrote.stderr
    planned = command(folder, "run", "suites/mine.yaml", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "torchsde/backprop" in planned.stdout


def test_times_that_decrease_are_told_as_they_are():
    assert "t from 1 to 0" in tiny("cnf", torch.float32).described
