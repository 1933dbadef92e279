"""The native methods on a GPU, by the same code: through the command, as a user runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from harness.frames import load

SUITE = """
name: gpu
title: Is a gradient the same on a GPU?
grid:
  - {problem: neural, noise: general, scheme: heun, method: &native ['torch/*', 'jax/*'], dim: 3, batch: 4, steps: 16,
     observations: 2, dtype: float64, device: cuda, brownian: shared}
  - {problem: neural, noise: diagonal, scheme: reversible-heun, method: *native, dim: 3, batch: 4, steps: 16,
     observations: 2, dtype: float64, device: cuda, brownian: shared}
  - {problem: neural, noise: none, scheme: [rk4, alf], method: *native, dim: 3, batch: 4, steps: 16, observations: 2,
     dtype: float64, device: cuda}
measure: [adjoint_error]
"""


def test_exact_methods_are_exact_on_a_gpu_or_say_that_there_is_none(registry, tmp_path: Path):
    """Against the discrete solve of the processor, to the rounding of float64: a GPU sums in another order."""
    (tmp_path / "gpu.yaml").write_text(SUITE)
    environment = {name: value for name, value in os.environ.items() if name != "JAX_PLATFORMS"}
    subprocess.run(
        [sys.executable, "-m", "harness", "run", "gpu.yaml"], cwd=tmp_path, env=environment, check=True, timeout=600
    )
    (run,) = (tmp_path / "results/gpu").iterdir()
    frame = load(run)
    seen = 0
    for row in frame.to_dict("records"):
        method = registry.methods[row["method"]]
        if row["status"] == "unsupported":
            continue
        assert row["status"] == "ok", row["reason"]
        if method.exact and not method.baseline:
            assert max(row["adjoint_error_theta_median"], row["adjoint_error_y0_median"]) <= 1e-10, row["method"]
            seen += 1
    for framework in ("torch", "jax"):
        refused = frame["reason"].str.contains(f"{framework} sees no CUDA device")
        ran = (frame["status"] == "ok") & frame["method"].str.startswith(f"{framework}/")
        assert refused.any() != ran.any()
    assert (seen > 0) == (frame["status"] == "ok").any()
