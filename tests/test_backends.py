"""Backends: what is declared fits what exists, and a plugin's backend has all that a built-in one has."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from harness.backend_facts import BackendFacts, Style
from harness.case import Case
from harness.cli.list import list_
from harness.environment import environment
from harness.errors import InputError
from harness.frames import load, speedups
from harness.library import AbstractLibraryMethod
from harness.record import Measured, Record
from harness.registry import Registry
from harness.report.palette import Palette
from harness.store import Run, new_run
from harness.supported import with_scheme

PLUGIN = """
from harness import AbstractBackend, AbstractTorchLibraryMethod, Style

class Mine(AbstractBackend):
    name = "mine"
    framework = "torch"
    summary = "my solver"
    packages = ("my-distribution",)
    native = {native}
    comparable = {{"backprop": ("{comparable}",)}}
    schemes = {{"none": {{"heun": "my_heun"}}}}
    style = Style("*", (2, 2))

class Backprop(AbstractTorchLibraryMethod):
    name = "mine/backprop"
    backend = Mine()
    summary = "mine"

    def solver(self, of, path):
        def solve():
            y, ys, times = of.y0, [], of.grid()
            for n, (t, after) in enumerate(zip(times[:-1], times[1:]), start=1):
                k = of.drift(t, y)
                y = y + (after - t) / 2 * (k + of.drift(after, y + (after - t) * k))
                if n % (of.case.steps // of.case.observations) == 0:
                    ys.append(y)
            return torch.stack(ys)

        import torch
        return solve
"""


def plugin(folder: Path, *, comparable: str = "torch/backprop", native: bool = False) -> Registry:
    """A registry with a library that a file declares."""
    path = folder / "mine.py"
    path.write_text(PLUGIN.format(comparable=comparable, native=native))
    return Registry.load((str(path),))


def test_each_method_has_a_declared_backend_of_its_framework(registry):
    for name, method in registry.methods.items():
        backend = registry.backends[name.partition("/")[0]]
        assert backend.summary != "not declared", name
        assert backend.framework == method.framework, name
        if isinstance(method, AbstractLibraryMethod):
            assert type(method.backend) is type(backend), name


def test_floors_and_comparable_methods_exist(registry):
    facts = registry.backend_facts()
    for name, of in facts.items():
        assert registry.methods[of.floor].baseline, name
        assert registry.methods[of.forward].baseline, name
        for native, library in of.comparable:
            assert {native, library} <= set(registry.methods)
            assert registry.backends[native.partition("/")[0]].native
            assert not registry.backends[library.partition("/")[0]].native


def test_styles_tell_backends_apart(registry):
    styles = [of.style for of in registry.backend_facts().values()]
    assert len({style.marker for style in styles}) == len(styles)


def test_schemes_of_libraries_are_the_harness_s(registry):
    for backend in registry.backends.values():
        for calculus, names in backend.schemes.items():
            assert calculus in ("none", "ito", "stratonovich")
            assert set(names) | set(backend.refused) <= set(registry.schemes)


def test_what_is_supported_has_a_name_in_the_library(registry, make_case):
    noises = ("none", "additive", "scalar", "diagonal", "general")
    count = 0
    for name, method in registry.methods.items():
        if not isinstance(method, AbstractLibraryMethod):
            continue
        for scheme, noise, calculus in itertools.product(registry.schemes, noises, ("ito", "stratonovich")):
            case: Case = make_case(problem="linear", method=name, scheme=scheme, noise=noise, calculus=calculus)
            try:
                problem = registry.problem_of(case)
            except ValueError:  # the problem has no such form
                continue
            if with_scheme(problem, registry.schemes[scheme], method, case) is None:
                assert method.backend.scheme_name(case)
                count += 1
    assert count


def test_a_library_of_a_plugin_gives_the_gradient(tmp_path, make_case):
    from gradients import distance, gradient

    registry = plugin(tmp_path)
    ours, theirs = (
        gradient(registry, make_case(method=f"{backend}/backprop", noise="none", observations=4))
        for backend in ("torch", "mine")
    )
    assert distance(theirs, ours) <= 1e-13  # rounding of float64 over 16 steps


def test_a_library_of_a_plugin_refuses_what_it_lacks(tmp_path, make_case):
    method = plugin(tmp_path).methods["mine/backprop"]
    assert method.unsupported(make_case(noise="none")) is None
    assert "midpoint" in (method.unsupported(make_case(noise="none", scheme="midpoint")) or "")
    assert "ODEs" in (method.unsupported(make_case(noise="diagonal")) or "")


def test_a_backend_of_a_plugin_has_a_floor_and_pairs(tmp_path):
    of = plugin(tmp_path).backend_facts()["mine"]
    pairs = (("torch/backprop", "mine/backprop"),)
    assert of == BackendFacts("torch/floor", pairs, Style("*", (2, 2)), forward="torch/solve")


def test_a_native_backend_of_a_plugin_is_compared_with_libraries(tmp_path):
    of = plugin(tmp_path, comparable="torchsde/backprop", native=True).backend_facts()["mine"]
    assert of.comparable == (("mine/backprop", "torchsde/backprop"),)


def test_a_misspelt_comparable_method_is_refused(tmp_path):
    with pytest.raises(InputError, match="comparable"):
        plugin(tmp_path, comparable="torch/backprob")


def test_a_method_without_a_declared_backend_has_the_costs_and_the_floor_of_its_framework(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from harness.methods.jax.backprop import Backprop as Base\n"
        "class Backprop(Base):\n    name = 'other/backprop'\n    summary = ''\n"
    )
    registry = Registry.load((str(path),))
    assert registry.backend_facts()["other"] == BackendFacts("jax/floor", forward="jax/solve")
    assert registry.backends["other"].compiled
    assert registry.backends["other"].building_seconds_cuda == registry.backends["jax"].building_seconds_cuda


def test_versions_and_facts_of_a_plugin_are_recorded(tmp_path):
    registry = plugin(tmp_path)
    about = json.loads(json.dumps(environment(registry)))
    assert about["packages"]["my-distribution"] is None
    assert {"torch", "jax", "diffrax", "numpy"} <= set(about["packages"])
    read = {name: BackendFacts.of_json(stored) for name, stored in about["backends"].items()}
    assert read == registry.backend_facts()


SECONDS = {"torch/floor": 1.0, "torch/solve": 0.5, "torch/backprop": 2.0, "mine/backprop": 5.0}


@pytest.fixture
def measured(tmp_path, make_case) -> Run:
    """A run with a plugin's backend that nobody reads with the plugin."""
    made = new_run(tmp_path / "results", "with-plugin")
    made.add_execution("with-plugin", environment(plugin(tmp_path)))
    for method, seconds in SECONDS.items():
        case = make_case(method=method, noise="none")
        taken = Measured(seconds=(seconds,) * 3, repeats=1, pairing="once")
        made.append(Record(run=made.id, suite="with-plugin", case=case, status="ok", measured=taken))
    return made


def test_a_run_is_read_without_its_plugin(measured):
    frame = load(measured.folder)
    ratios = frame.set_index("method")[["floor_ratio", "forward_ratio"]].to_dict()
    assert ratios["floor_ratio"] == pytest.approx(SECONDS)
    assert ratios["forward_ratio"] == pytest.approx({name: 2 * seconds for name, seconds in SECONDS.items()})
    (pair,) = speedups(frame).to_dict("records")
    assert (pair["native"], pair["library"], pair["ratio"]) == ("torch/backprop", "mine/backprop", 2.5)
    palette = Palette.of(frame)
    assert (palette.marker("mine/backprop"), palette.dashes("mine/backprop")) == ("*", (2, 2))
    assert palette.dashes("torch/backprop") == ()


def test_a_run_that_stored_nothing_is_read(tmp_path, make_case):
    made = new_run(tmp_path / "results", "old")
    made.add_execution("old", {})
    for method in ("torch/floor", "unknown/backprop"):
        taken = Measured(seconds=(2.0,) * 3, repeats=1, pairing="once")
        case = make_case(method=method, noise="none")
        made.append(Record(run=made.id, suite="old", case=case, status="ok", measured=taken))
    frame = load(made.folder).set_index("method")
    assert frame.loc["torch/floor", "floor_ratio"] == 1.0
    assert frame["floor_ratio"].isna()["unknown/backprop"]


def test_backends_are_listed(capsys):
    list_("backends", as_json=True)
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["torchsde"]["schemes"]["stratonovich"]["heun"] == "heun"
    assert rows["jax"]["native"]
