"""Which methods give a gradient that can be used: counted, and told apart from the schemes that give none."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from harness.frames import load
from harness.record import Measured, Record
from harness.report.answer.question import Asked
from harness.report.answer.survival import settings, survival, table_of
from harness.store import Run, new_run

STABILITY = Asked("stability", "steps")
SCHEMES = {"heun": ("torch/backprop", "torch/adjoint"), "midpoint": ("torch/backprop", "torch/adjoint", "jax/adjoint")}
FATES = {
    # noise: (scheme, method, steps) -> its gradient error, None where it isn't finite; 1e-3 else
    "additive": {},
    "diagonal": {
        ("heun", "torch/backprop", 64): 0.5,
        ("heun", "torch/backprop", 128): 0.11,
        ("heun", "torch/adjoint", 64): None,
        ("heun", "torch/adjoint", 128): None,
        ("midpoint", "torch/adjoint", 64): 0.3,
        ("midpoint", "jax/adjoint", 64): None,
        ("midpoint", "jax/adjoint", 128): 20.0,
    },
    "scalar": {(s, m, n): None for s, methods in SCHEMES.items() for m in methods for n in (64, 128)},
}


@pytest.fixture
def run(tmp_path: Path, make_case) -> Run:
    """Three kinds of noise: all is well, some gradients fail, none is finite."""
    made = new_run(tmp_path / "results", "tiny")
    made.add_execution("tiny", {})
    for noise, fates in FATES.items():
        for scheme, methods in SCHEMES.items():
            for method in methods:
                for steps in (64, 128):
                    case = make_case(method=method, scheme=scheme, noise=noise, calculus="stratonovich", steps=steps)
                    error = fates.get((scheme, method, steps), 1e-3)
                    found = (
                        Measured() if error is None else Measured(gradient_error_theta=(error,), reference_error=0.0)
                    )
                    status = "diverged" if error is None else "ok"
                    made.append(Record(run=made.id, suite="tiny", case=case, status=status, measured=found))
    case = make_case(method="jax/adjoint", scheme="heun", noise="diagonal", calculus="stratonovich", steps=64)
    made.append(Record(run=made.id, suite="tiny", case=case, status="unsupported", reason="for a test"))
    return made


@pytest.fixture
def frame(run) -> pd.DataFrame:
    return load(run.folder)


def test_survival_in_sentences(frame):
    """Heun's own gradient is wrong, so that with it nothing can be said of a method."""
    assert survival(frame, STABILITY) == [
        "With additive noise, the gradients of all methods are right to 10%.",
        "With diagonal noise, the gradients by midpoint are right to 10% in every case from torch/backprop; in some"
        " from torch/adjoint; in none from jax/adjoint. By heun no method that was measured gives such a gradient.",
        "With scalar noise, the gradient of no method is finite.",
        "A gradient can be finite and wrong: 4 of 17 finite gradients differ from the reference by more than 10%, at"
        " most by 2.0e+01 (jax/adjoint with midpoint at 128 steps, diagonal noise).",
    ]


def test_settings_with_the_same_fates_are_told_at_once(frame):
    kept = frame[frame["noise"] != "diagonal"]
    kept = kept.assign(status="ok", gradient_error_theta_median=1e-3, reference_error=0.0)
    assert survival(kept, STABILITY) == [
        "With additive noise and scalar noise, the gradients of all methods are right to 10%."
    ]


def test_gradients_that_can_be_used_are_counted(frame):
    """Of the cases that can be solved, in every setting; the method with the most first."""
    rows = table_of(settings(frame, STABILITY)).set_index("method").to_dict("index")
    assert list(rows) == ["torch/backprop", "torch/adjoint", "jax/adjoint"]
    assert rows["torch/backprop"] == {"additive noise": "4 of 4", "diagonal noise": "2 of 4", "scalar noise": "0 of 4"}
    assert rows["torch/adjoint"] == {"additive noise": "4 of 4", "diagonal noise": "1 of 4", "scalar noise": "0 of 4"}
    assert rows["jax/adjoint"] == {"additive noise": "2 of 2", "diagonal noise": "0 of 2", "scalar noise": "0 of 2"}


def test_without_errors_what_is_finite_counts(frame):
    unmeasured = frame[frame["noise"] == "diagonal"].assign(gradient_error_theta_median=float("nan"))
    assert survival(unmeasured, STABILITY) == [
        "The gradients by heun and midpoint are finite in every case from torch/backprop; in some from adjoint"
        " (torch and jax)."
    ]


def test_what_has_no_reference_is_not_called_right(frame):
    additive = frame[frame["noise"] == "additive"]
    lacking = additive["gradient_error_theta_median"].where(additive["method"] != "jax/adjoint")
    (setting,) = settings(additive.assign(gradient_error_theta_median=lacking), STABILITY)
    assert set(setting.cases["method"]) == {"torch/backprop", "torch/adjoint"}


def test_a_run_without_a_solve_has_an_empty_answer(frame):
    nothing = frame.assign(status="unsupported")
    assert survival(nothing, STABILITY) == []
    assert settings(nothing, STABILITY) == []
