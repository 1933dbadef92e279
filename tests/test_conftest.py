"""Which tests are collected with `--benchmark-only`."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
EXTRA = ("hypothesis", "mpmath", "playwright", "xdist")
"""What the extra `test` installs."""


def test_benchmarks_are_collected_without_the_extra():
    """As after a plain install: no module of the extra can be imported."""
    code = (
        f"import sys, pytest; sys.modules.update(dict.fromkeys({EXTRA}));"
        "sys.exit(pytest.main(['--benchmark-only', '--collect-only', '-q', '-p', 'pytest_benchmark.plugin']))"
    )
    # Plugins are not loaded by themselves, since hypothesis and xdist have one each.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=TESTS.parent, env=environment, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout + found.stderr
    tests = [line for line in found.stdout.splitlines() if "::" in line]
    assert len(tests) > 30
    assert all(test.startswith("tests/benchmarks/") for test in tests)


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: str(path.relative_to(TESTS)))
def test_benchmarks_stand_in_their_folder_alone(path: Path):
    """Elsewhere `--benchmark-only` would not collect them."""
    functions = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)]
    users = [f.name for f in functions if "benchmark" in {a.arg for a in (*f.args.args, *f.args.kwonlyargs)}]
    assert not users or TESTS / "benchmarks" in path.parents
