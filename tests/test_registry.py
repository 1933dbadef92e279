"""The registry: one door for built-in and third-party plugins."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.installed import installed
from harness.registry import Registry

METHOD = """
from harness import AbstractGradientMethod, Gradient

class Mine(AbstractGradientMethod):
    name = "{name}"
    framework = "numpy"
    summary = "mine"

    def unsupported(self, case):
        return None

    def build(self, problem, scheme, case, path):
        return lambda: Gradient(0.0, {{}}, 0.0)
"""


def test_the_built_in_ones_are_there(registry):
    assert {
        "torch/backprop",
        "jax/reversible",
        "torchsde/adjoint",
        "diffrax/backsolve",
        "torchdiffeq/adjoint",
    } <= set(registry.methods)
    assert {"neural", "example1", "example2", "example3", "linear"} <= set(registry.problems)
    assert {"euler", "heun", "midpoint", "milstein", "reversible-heun", "rk4"} <= set(registry.schemes)


def test_loading_imports_no_framework():
    code = (
        "import sys; from harness.registry import Registry; Registry.load(); import harness.cli;"
        "print([m for m in ('torch', 'jax', 'pandas') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_plugin_file(tmp_path: Path):
    path = tmp_path / "mine.py"
    path.write_text(METHOD.format(name="mine/best"))
    assert "mine/best" in Registry.load((str(path),)).methods


def test_an_entry_point(tmp_path: Path, monkeypatch):
    (tmp_path / "a_distribution.py").write_text(METHOD.format(name="mine/installed"))
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint("mine", "a_distribution", "harness.methods")
    monkeypatch.setattr(
        "harness.registry.installed",
        lambda group: [*installed(group), *([entry] if group == "harness.methods" else [])],
    )
    assert "mine/installed" in Registry.load().methods


def test_a_name_that_is_taken(tmp_path: Path):
    path = tmp_path / "mine.py"
    path.write_text(METHOD.format(name="torch/backprop"))
    with pytest.raises(InputError, match="taken"):
        Registry.load((str(path),))


def test_an_entry_point_that_raises(monkeypatch):
    entry = EntryPoint("broken", "no_such_module_anywhere", "harness.methods")
    monkeypatch.setattr("harness.registry.installed", lambda _: [entry])
    with pytest.raises(InputError, match="entry point broken"):
        Registry.load()
