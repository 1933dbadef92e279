"""Memory that stays allocated after a gradient: what is planted is found, and no built-in method keeps any."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from children import Child, child

from harness.machine import Machine
from harness.measuring.allocator import allocated_bytes
from harness.measuring.memory import HALF_CALLS, LONGEST_SECONDS, in_use_cpu, retained_bytes
from harness.plan import make_plan
from harness.registry import Registry
from harness.report.answer.general import RETAINED
from harness.suite import parse_suite

PLUGIN = """
import numpy as np
from harness import AbstractGradientMethod, Gradient
from harness.initial import initial_values

KEPT = []

class _Base(AbstractGradientMethod):
    summary = "keeps an array of {size} float64 numbers per gradient, and gives y0 and theta for a gradient"

    def unsupported(self, case):
        return None

    def build(self, problem, scheme, case, path):
        y0, theta = initial_values(problem, case.batch, case.seed)
        array, keep = self.functions()
        given = Gradient(array(1.0), {{name: array(x) for name, x in theta.items()}}, array(y0))

        def run():
            KEPT.append(keep())
            return given

        return run

class InNumpy(_Base):
    name, framework = "test/numpy", "numpy"

    def functions(self):
        return np.asarray, lambda: np.ones({size})

class InTorch(_Base):
    name, framework = "test/torch", "torch"

    def functions(self):
        import torch
        return lambda x: torch.tensor(x, dtype=torch.float64), lambda: torch.ones({size}, dtype=torch.float64)

class InJax(_Base):
    name, framework = "test/jax", "jax"

    def functions(self):
        import jax
        make = jax.jit(lambda: jax.numpy.ones({size}, dtype="float64") * 2)
        return jax.numpy.asarray, lambda: make().block_until_ready()
"""


def measure(case, plugins: tuple[str, ...] = ()) -> float:
    """What a case retains, in a child of its own."""
    with child(case, plugins) as worker:
        retained = worker.call(Child.retained)
    assert retained is not None
    return retained


@pytest.mark.parametrize("framework", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("size", [2**14, 2**17])
def test_what_a_method_keeps_is_measured(tmp_path: Path, make_case, framework, size):
    """128 KiB and 1 MiB, to 3 %: 8 bytes a number, and about 2 kB that JAX itself keeps of an array."""
    plugin = tmp_path / "keeps.py"
    plugin.write_text(PLUGIN.format(size=size))
    assert measure(make_case(method=f"test/{framework}"), (str(plugin),)) == pytest.approx(8 * size, rel=0.03)


SUITE = """
name: every
title: Every method
grid:
  - problem: neural(width=4)
    noise: [none, diagonal]
    method: ["*/*"]
    dim: 2
    batch: 8
    steps: 8
    dtype: float64
"""


METHODS = [name for name in Registry.load().methods if not name.startswith("torch-compile/")]
"""All built-in methods whose building doesn't take a minute."""


@pytest.mark.parametrize("method", METHODS)
def test_no_built_in_method_keeps_memory(tmp_path: Path, registry, method):
    """With noise where the method can do it, without otherwise."""
    path = tmp_path / "every.yaml"
    suite = parse_suite(SUITE.replace("*/*", method), path)
    *_, case = make_plan(suite, path, registry, Machine(1)).cases
    assert measure(case) <= RETAINED


def test_what_is_allocated_once_is_not_counted():
    kept: list[np.ndarray] = []
    runs = iter(range(1, 1000))

    def run() -> None:
        if next(runs) == HALF_CALLS:
            kept.append(np.ones(2**17))

    retained = retained_bytes(run, in_use_cpu, 1e-3)
    assert retained is not None
    assert len(kept) == 1
    assert retained <= RETAINED


def test_every_second_run_counts_by_half():
    kept: list[np.ndarray] = []
    runs = iter(range(1000))

    def run() -> None:
        if next(runs) % 2:
            kept.append(np.ones(2**17))

    assert retained_bytes(run, in_use_cpu, 1e-3) == pytest.approx(2**19, rel=0.03)


def test_slow_runs_are_repeated_less_or_not_at_all():
    runs: list[None] = []
    for call_seconds, expected in (
        (1e-3, 2 * HALF_CALLS),
        (1.0, 4),
        (LONGEST_SECONDS, 2),
        (1.1 * LONGEST_SECONDS, 0),
    ):
        runs.clear()
        retained = retained_bytes(lambda: runs.append(None), lambda: 0, call_seconds)
        assert len(runs) == expected
        assert retained == (0.0 if expected else None)


def test_nothing_is_said_where_nothing_counts():
    assert retained_bytes(lambda: None, lambda: None, 1e-3) is None


@pytest.mark.parametrize("mebibytes", [1, 48])
def test_the_c_library_counts_large_and_small(mebibytes):
    """Those on its heap, and those that it maps on their own."""
    before = allocated_bytes()
    kept = np.ones(mebibytes * 2**20, dtype=np.uint8)
    after = allocated_bytes()
    assert before is not None
    assert after is not None
    assert 0 <= after - before - kept.nbytes < 64 * 1024
