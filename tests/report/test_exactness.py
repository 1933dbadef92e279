"""The table of exactness, from records whose errors are known."""

from __future__ import annotations

import pytest

from harness.frames import load
from harness.record import Measured, Record
from harness.report.exactness import exactness
from harness.store import new_run


def test_the_worst_case_of_each_method_is_named(tmp_path, make_case):
    run = new_run(tmp_path, "tiny")
    run.add_execution("tiny", {})

    def add(theta: float, y0: float, status: str = "ok", **axes) -> None:
        measured = Measured(adjoint_error_theta=(theta,), adjoint_error_y0=(y0,))
        run.append(Record(run=run.id, suite="tiny", case=make_case(**axes), status=status, measured=measured))

    for steps in (16, 4096):
        add(1e-16 * steps, 2e-16 * steps, method="torch/reversible", scheme="heun", steps=steps)
    add(3e-12, 1e-15, method="torch/reversible", scheme="midpoint", noise="general", steps=64)
    add(float("inf"), 0.0, "diverged", method="torch/reversible", scheme="heun", steps=8192)
    add(1e-6, 0.0, method="torch/reversible", dtype="float32")
    run.append(Record(run=run.id, suite="tiny", case=make_case(method="torch/floor"), status="ok"))
    rows = {row["dtype"]: row for row in exactness(load(run.folder)).to_dict("records")}
    assert set(rows) == {"float64", "float32"}
    row = rows["float64"]
    assert (row["settings"], row["cases"], row["sizes"], row["diverged"]) == (2, 3, "16 to 4096", 1)
    assert (row["theta"], row["y0"]) == pytest.approx((3e-12, 2e-16 * 4096))
    assert row["where"] == "midpoint, neural general (stratonovich), 64 steps"
