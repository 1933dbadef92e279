"""The recommendation: the fastest within an error and a memory, and what the data can't decide."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from harness.frames import load
from harness.record import Measured, Record
from harness.report.recommendation import recommend, sentences
from harness.store import new_run

CASES = {
    # method: seconds, bytes, gradient error, adjoint error
    ("torch/backprop", 64): ((0.010, 0.011, 0.0105), 4_000_000, 2e-2, 1e-7),
    ("torch/backprop", 256): ((0.040, 0.041, 0.042), 16_000_000, 2e-3, 1e-7),
    ("torch/adjoint", 64): ((0.030, 0.031, 0.032), 500_000, 3e-2, 1e-2),
    ("torch/adjoint", 256): ((0.120, 0.121, 0.122), 600_000, 4e-3, 3e-3),
    ("torch/checkpoint", 64): ((0.0100, 0.0125, 0.0104), 1_000_000, 2e-2, 1e-7),
}


@pytest.fixture
def frame(tmp_path: Path, make_case) -> pd.DataFrame:
    """A model's run."""
    run = new_run(tmp_path / "results", "mine")
    run.add_execution("mine", {})
    for (method, steps), (seconds, peak, error, adjoint_error) in CASES.items():
        measured = Measured(
            seconds=seconds,
            repeats=1,
            pairing=str(steps),
            peak_bytes=peak,
            gradient_error_theta=(error,),
            adjoint_error_theta=(adjoint_error,),
            reference_error=1e-5,
        )
        case = make_case(problem="mine.py:latent", method=method, steps=steps, dtype="float32")
        run.append(Record(run=run.id, suite="mine", case=case, status="ok", measured=measured))
    refused = make_case(problem="mine.py:latent", method="torch/alf", steps=64)
    run.append(Record(run=run.id, suite="mine", case=refused, status="unsupported", reason="it is for ODEs"))
    return load(run.folder)


def test_the_fastest_within_bounds(frame: pd.DataFrame) -> None:
    """Of an error, of a memory, and of both."""
    assert (recommend(frame).method, recommend(frame).steps) == ("torch/checkpoint", 64)
    assert recommend(frame, error=1e-2).seconds == pytest.approx(0.041)
    assert recommend(frame, memory="700KiB").method == "torch/adjoint"
    both = recommend(frame, error=1e-2, memory="1MiB")
    assert (both.method, both.steps, both.error) == ("torch/adjoint", 256, 4e-3)
    with pytest.raises(LookupError):
        recommend(frame, error=1e-6)
    with pytest.raises(ValueError, match="byte"):
        recommend(frame, memory="much")


def test_of_several_equations_none_is_recommended(frame: pd.DataFrame) -> None:
    """The noise isn't chosen for its cost. For additive noise the two calculi are the same."""
    both = pd.concat([frame.assign(noise="additive"), frame])
    with pytest.raises(ValueError, match="of the noise additive and diagonal: keep those of one"):
        recommend(both)
    additive = frame.assign(noise="additive")
    assert recommend(pd.concat([additive.assign(calculus="ito"), additive.assign(calculus="stratonovich")])).steps == 64
    with pytest.raises(ValueError, match="of the calculus ito and stratonovich"):
        recommend(pd.concat([frame.assign(calculus="ito"), frame.assign(calculus="stratonovich")]))


def test_an_error_below_the_references_bar_is_the_bar(frame: pd.DataFrame) -> None:
    """It isn't known to be smaller."""
    doubtful = frame.assign(reference_error=5e-2)
    with pytest.raises(LookupError):
        recommend(doubtful, error=1e-2)
    assert any("below the reference's own bar" in sentence for sentence in sentences(doubtful))


def test_the_sentences_answer_the_question(frame: pd.DataFrame) -> None:
    """The fastest for each error, the smallest memory, the front, the undecided, the biased, the refused."""
    told = sentences(frame)
    found = "\n".join(told)
    assert "The fastest for a gradient error below 0.1: torch/checkpoint with heun at 64 steps" in found
    assert "The fastest for a gradient error below 0.01: torch/backprop with heun at 256 steps" in found
    assert "The smallest memory: torch/adjoint with heun at 64 steps" in found
    assert "The data can't decide which is faster: torch/checkpoint and torch/backprop" in found
    assert "Not the gradient of the discrete solve: torch/adjoint (up to 1.0e-02)" in found
    assert "Not measured: torch/alf: it is for ODEs." in found
    (front,) = [sentence for sentence in told if "Pareto" in sentence]
    assert "torch/adjoint heun at 256 steps" in front
    assert "torch/backprop heun at 64 steps" not in front
