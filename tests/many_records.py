"""Runs of any size, with made-up measurements: for the size of a page and the time that it takes."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

from cases import small_case

from harness.record import Measured, Record
from harness.store import Run, new_run

SUITE = """
name: many
title: How large is a page of many records?
grid:
  - {problem: neural, noise: diagonal, method: torch/backprop}
report:
  - {figure: scaling, x: steps, y: peak_bytes, facet: dim, where: {batch: 1, noise: diagonal}}
  - {figure: scaling, x: steps, y: seconds_median, facet: dim, where: {batch: 1, noise: diagonal}}
  - {figure: scaling, x: seconds_median, y: gradient_error_theta_median, facet: dim, where: {batch: 1, noise: diagonal}}
  - {figure: box, x: steps, y: gradient_error_theta_median, facet: noise, where: {batch: 1, dim: 1}}
  - {figure: speedups}
"""
METHODS = [
    *(f"{b}/{m}" for b in ("torch", "jax") for m in ("floor", "backprop", "checkpoint", "adjoint", "reversible")),
    "torchsde/backprop", "torchsde/adjoint", "diffrax/direct", "diffrax/backsolve",
]  # fmt: skip
ENVIRONMENT = {
    "time": "2026-01-01T00:00:00", "processor": "a processor", "usable_cores": 2, "logical_cores": 4,
    "memory_bytes": 2**33, "platform": "p", "kernel": "k", "python": "3", "packages": {"torch": "1", "jax": "2"},
    "variables": {}, "git_revision": None, "seed": 0, "cuda_devices": {},
}  # fmt: skip


def run_of(folder: Path, records: int, suite: str = SUITE) -> Run:
    """A run of so many records: methods at steps, noises, dimensions and batches; the same numbers every time."""
    made = new_run(folder, "many")
    made.add_execution("many", ENVIRONMENT | {"suite_text": suite})
    draw = random.Random(0)
    sizes = itertools.product(range(1, 1000), range(1, 7), (2**k for k in range(5, 11)), ("additive", "diagonal"))
    cases = itertools.islice(itertools.product(sizes, METHODS), records)
    for (batch, dim, steps, noise), method in cases:
        case = small_case(method=method, steps=steps, noise=noise, dim=dim, batch=batch)
        measured = _measured(draw, f"{steps} {noise} {dim} {batch}", steps, method)
        made.append(Record(run=made.id, suite="many", case=case, status="ok", measured=measured))
    return made


def _measured(draw: random.Random, pairing: str, steps: int, method: str) -> Measured:
    def samples(size: float, count: int) -> tuple[float, ...]:
        return tuple(size * draw.lognormvariate(0, 0.2) for _ in range(count))

    errors: dict[str, Any] = {}
    if not method.endswith("floor"):
        errors = {
            "gradient_error_theta": samples(1 / steps, 4),
            "gradient_error_y0": samples(1 / steps, 4),
            "adjoint_error_theta": samples(1e-7, 4),
            "adjoint_error_y0": samples(1e-7, 4),
        }
    return Measured(
        seconds=samples(1e-5 * steps, 10),
        repeats=1,
        pairing=pairing,
        cpu_ratio=draw.uniform(0.97, 1.0),
        compile_seconds=draw.uniform(0.1, 2),
        first_call_seconds=draw.uniform(0.1, 2),
        retained_bytes=draw.uniform(-100, 100),
        peak_bytes=int(1000 * steps * draw.uniform(0.9, 1.1)),
        reference_error=1e-6,
        **errors,
    )
