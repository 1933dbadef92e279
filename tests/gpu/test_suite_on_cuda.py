"""The native methods and the libraries on a GPU, through the command, as a user runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from harness.frames import load

pytestmark = pytest.mark.gpu

EXACT = """
name: exact-on-gpu
title: Is a gradient the same on a GPU?
grid:
  - {problem: neural, noise: general, scheme: heun, method: &all ['torch/*', 'jax/*', 'torchsde/*', 'diffrax/*'],
     dim: 3, batch: 4, steps: 16, observations: 2, dtype: float64, device: cuda, brownian: shared}
  - {problem: neural, noise: diagonal, scheme: reversible-heun, method: *all, dim: 3, batch: 4, steps: 16,
     observations: 2, dtype: float64, device: cuda, brownian: shared}
  - {problem: neural, noise: none, scheme: [heun, alf], method: ['torch/*', 'jax/*', 'torchdiffeq/*'], dim: 3, batch: 4,
     steps: 16, observations: 2, dtype: float64, device: cuda}
  - {problem: neural, noise: diagonal, scheme: heun, method: torch-compile/backprop, dim: 3, batch: 4, steps: 16,
     dtype: float64, device: cuda, brownian: shared}
measure: [adjoint_error]
budget: {timeout: 240}
"""

TOO_LARGE = """
name: too-large-for-gpu
title: What does a record say of a case that the device can't hold?
grid:
  - {problem: neural(width=16384), noise: diagonal, scheme: heun, method: [torch/backprop, jax/backprop, torch/adjoint],
     dim: 16, batch: 65536, steps: 64, device: cuda}
measure: [time]
budget: {rounds: 1, timeout: 240}
"""


def run(suite: str, folder: Path) -> pd.DataFrame:
    """The records of a suite that is given as text."""
    (folder / "suite.yaml").write_text(suite)
    environment = {name: value for name, value in os.environ.items() if name != "JAX_PLATFORMS"}
    command = [sys.executable, "-m", "harness", "run", "suite.yaml", "--results", "results"]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    (found,) = (folder / "results").glob("*/*/records.jsonl")
    return load(found.parent)


@pytest.fixture(scope="module")
def exact(tmp_path_factory) -> pd.DataFrame:
    return run(EXACT, tmp_path_factory.mktemp("exact"))


def test_exact_methods_are_exact_on_a_gpu(registry, exact):
    """Against the discrete solve of the processor, to the rounding of float64: a GPU sums in another order."""
    seen = set()
    for row in exact.to_dict("records"):
        method = registry.methods[row["method"]]
        if row["status"] == "unsupported":
            assert "CUDA" not in row["reason"], row["reason"]
            continue
        assert row["status"] == "ok", (row["method"], row["reason"])
        if method.exact and not method.baseline:
            assert max(row["adjoint_error_theta_median"], row["adjoint_error_y0_median"]) <= 1e-10, row["method"]
            seen.add(row["backend"])
    assert seen == {"torch", "jax", "torchsde", "diffrax", "torchdiffeq", "torch-compile"}


def test_native_methods_are_one_cuda_graph(exact):
    """Else the record's reason says that they are not."""
    native = exact[exact["backend"].isin(["torch", "torch-compile"]) & (exact["status"] == "ok")]
    assert not native.empty
    assert set(native["reason"].fillna("")) == {""}


def test_a_case_that_the_device_cannot_hold_has_a_record_and_the_others_go_on(tmp_path: Path):
    frame = run(TOO_LARGE, tmp_path).set_index("method")
    assert len(frame) == 3
    assert set(frame.loc[["torch/backprop", "jax/backprop"], "status"]) == {"out-of-memory"}
    assert "memory" in str(frame.loc["torch/backprop", "reason"]).lower()


TF32 = """
name: tf32
title: What does TF32 cost?
grid:
  - {problem: neural(width=128), noise: diagonal, scheme: heun, method: ['torch/backprop', 'jax/backprop',
     'torch-compile/backprop', 'torchsde/backprop', 'diffrax/direct'], dim: 64, batch: 256, steps: 32, device: cuda,
     brownian: shared, matmul: [full, tf32]}
measure: [adjoint_error]
budget: {timeout: 240}
"""


def test_tf32_is_used_where_it_is_asked_for_and_nowhere_else(tmp_path: Path):
    """Its rounding, some 3e-4, and that of float32, some 1e-6."""
    frame = run(TF32, tmp_path)
    assert set(frame["status"]) == {"ok"}, frame[["method", "reason"]].to_string()
    assert set(frame["matmul"]) == {"full", "tf32"}
    for row in frame.to_dict("records"):
        low, high = (1e-5, 1e-2) if row["matmul"] == "tf32" else (0, 1e-5)
        assert low < row["adjoint_error_theta_median"] < high, (row["method"], row["matmul"])
