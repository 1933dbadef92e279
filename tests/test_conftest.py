"""Which tests are collected with `--benchmark-only`, and which without."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
EXTRA = ("hypothesis", "playwright", "xdist")
"""What the extra `test` alone installs: mpmath comes with PyTorch, by way of SymPy."""


def collected(*arguments: str) -> list[str]:
    """The tests that pytest collects where no module of the extra can be imported, as after a plain install."""
    options = [*arguments, "--collect-only", "-q", "-p", "pytest_benchmark.plugin"]
    code = f"import sys, pytest; sys.modules.update(dict.fromkeys({EXTRA})); sys.exit(pytest.main({options}))"
    # Plugins are not loaded by themselves, since hypothesis and xdist have one each.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=TESTS.parent, env=environment, capture_output=True, text=True
    )
    assert found.returncode in (0, pytest.ExitCode.NO_TESTS_COLLECTED), found.stdout + found.stderr
    return [line for line in found.stdout.splitlines() if "::" in line]


def test_benchmarks_are_collected_without_the_extra():
    tests = collected("--benchmark-only")
    assert len(tests) > 30
    assert all(test.startswith("tests/benchmarks/") for test in tests)


def test_benchmarks_are_not_collected_to_be_skipped():
    """A skipped test is a signal: among the other tests the benchmarks are not even collected."""
    assert not collected("tests/benchmarks")


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: str(path.relative_to(TESTS)))
def test_benchmarks_stand_in_their_folder_alone(path: Path):
    """Elsewhere `--benchmark-only` would not collect them."""
    functions = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)]
    users = [f.name for f in functions if "benchmark" in {a.arg for a in (*f.args.args, *f.args.kwonlyargs)}]
    assert not users or TESTS / "benchmarks" in path.parents
