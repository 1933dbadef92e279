"""The table of exponents, from records whose powers are known."""

from __future__ import annotations

import pandas as pd
import pytest

from harness.frames import load
from harness.record import Measured, Record
from harness.report.answer.powers import powers
from harness.report.exponents import exponents
from harness.store import new_run


@pytest.fixture
def frame(tmp_path, make_case):
    """A method whose time is steps · parameters² and whose memory is √steps."""
    run = new_run(tmp_path, "tiny")
    run.add_execution("tiny", {})
    for steps in (64, 256, 1024, 4096):
        for width in (4, 8, 16):
            seconds = tuple(noise * steps * width**2 * 1e-6 for noise in (1.0, 1.2, 0.9))
            measured = Measured(seconds=seconds, peak_bytes=int(1000 * steps**0.5), parameters=width)
            case = make_case(steps=steps, problem=f"neural(width={width})", method="torch/forward")
            run.append(Record(run=run.id, suite="tiny", case=case, status="ok", measured=measured))
    return load(run.folder)


def test_the_powers_are_found(frame):
    found = exponents(frame)
    assert found["grows"].value_counts().to_dict() == {"parameters": 4, "steps": 3}
    steps = found[found["grows"] == "steps"]
    assert steps["time"].tolist() == pytest.approx([1.0] * 3)
    assert steps["memory"].tolist() == pytest.approx([0.5] * 3, abs=1e-3)
    assert steps["memory_growth"].tolist() == pytest.approx([0.5] * 3, abs=1e-2)
    parameters = found[found["grows"] == "parameters"]
    assert parameters["memory_growth"].isna().all()
    assert parameters["time"].tolist() == pytest.approx([2.0] * 4)
    assert parameters["memory"].tolist() == pytest.approx([0.0] * 4)
    assert set(found["paper_time"]) == {"O(L D)"}
    assert (found["time_low"] <= found["time"]).all()


def test_two_sizes_are_no_fit(frame):
    assert exponents(frame[frame["steps"] < 1000])["grows"].unique().tolist() == ["parameters"]


def test_the_powers_in_sentences(frame):
    """A power of its own for each approach; one that doesn't grow is named, and so is proportion."""
    assert powers(frame) == [
        "With the steps (64 to 4,096), time grows in proportion in every method (powers from 1.00 to 1.00).",
        "With the steps (64 to 4,096), memory grows as a power of their number: forward 0.50.",
        "With the parameters (4 to 16), time grows as a power of their number: forward 2.00.",
        "With the parameters (4 to 16), memory stays the same in forward.",
    ]
    flat = frame.assign(method="jax/adjoint", peak_bytes=1000.0)
    memory = powers(pd.concat([frame, flat]))[1]
    assert memory == (
        "With the steps (64 to 4,096), memory stays the same in adjoint; it grows as a power of their number: forward"
        " 0.50."
    )


def test_the_least_powers_are_told_together(frame):
    """Five approaches whose time grows differently, of which four have a name."""
    approaches = ("forward", "backprop", "adjoint", "reversible", "checkpoint")
    slower = [
        frame.assign(
            method=f"jax/{approach}",
            seconds=[[s * n**k for s in row] for row, n in zip(frame["seconds"], frame["parameters"], strict=True)],
        )
        for k, approach in enumerate(approaches)
    ]
    assert powers(pd.concat(slower))[2] == (
        "With the parameters (4 to 16), time grows as a power of their number: checkpoint 6.00, reversible 5.00,"
        " adjoint 4.00, backprop 3.00 and the others at most 2.00."
    )


def test_a_constant_part_of_memory_is_taken_out(frame):
    """In proportion beside a megabyte: the slope is small, the power 1."""
    memory = powers(frame.assign(peak_bytes=1e6 + 1000.0 * frame["steps"]))[1]
    assert memory.endswith("memory grows in proportion in every method (powers from 1.00 to 1.00).")


def test_nothing_grows_no_sentence(frame):
    assert powers(frame[frame["steps"] == 64].query("parameters == 4")) == []
