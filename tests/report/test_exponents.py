"""The table of exponents, from records whose powers are known."""

from __future__ import annotations

import pytest

from harness.frames import load
from harness.record import Measured, Record
from harness.report.exponents import exponents
from harness.store import new_run


@pytest.fixture
def frame(tmp_path, make_case):
    """A method whose time is steps · parameters² and whose memory is √steps."""
    run = new_run(tmp_path, "tiny")
    run.add_execution("tiny", {})
    for steps in (64, 256, 1024):
        for width in (4, 8, 16):
            seconds = tuple(noise * steps * width**2 * 1e-6 for noise in (1.0, 1.2, 0.9))
            measured = Measured(seconds=seconds, peak_bytes=int(1000 * steps**0.5), parameters=width)
            case = make_case(steps=steps, problem=f"neural(width={width})", method="torch/forward")
            run.append(Record(run=run.id, suite="tiny", case=case, status="ok", measured=measured))
    return load(run.folder)


def test_the_powers_are_found(frame):
    found = exponents(frame)
    assert found["grows"].value_counts().to_dict() == {"steps": 3, "parameters": 3}
    steps = found[found["grows"] == "steps"]
    assert steps["time"].tolist() == pytest.approx([1.0] * 3)
    assert steps["memory"].tolist() == pytest.approx([0.5] * 3, abs=1e-3)
    assert steps["memory_growth"].tolist() == pytest.approx([0.5] * 3, abs=1e-2)
    parameters = found[found["grows"] == "parameters"]
    assert parameters["memory_growth"].isna().all()
    assert parameters["time"].tolist() == pytest.approx([2.0] * 3)
    assert parameters["memory"].tolist() == pytest.approx([0.0] * 3)
    assert set(found["paper_time"]) == {"O(L D)"}
    assert (found["time_low"] <= found["time"]).all()


def test_two_sizes_are_no_fit(frame):
    assert exponents(frame[frame["steps"] < 1000])["grows"].unique().tolist() == ["parameters"]
