"""The table of observed orders, from records whose orders are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.frames import load
from harness.record import Measured, Record
from harness.report.orders import orders, tally
from harness.store import Run, new_run

STEPS = (16, 32, 64, 128, 256)


@pytest.fixture
def write(tmp_path: Path, make_case):
    """Write records of errors `size · steps^−order` on 20 paths whose sizes vary; return the run."""
    run = new_run(tmp_path, "tiny")
    run.add_execution("tiny", {})

    def add(
        order: float,
        bar: float = 1e-9,
        *,
        next_order: float = 0,
        next_size: float = 0,
        paths: int = 20,
        diverging: int = 0,
        **axes,
    ) -> Run:
        sizes = np.exp(np.random.default_rng(0).normal(size=paths))
        for steps in STEPS:
            values = tuple(float(size * (steps**-order + next_size * steps**-next_order)) for size in sizes)
            measured = Measured(gradient_error_theta=values, gradient_error_y0=values, reference_error=bar)
            case = make_case(steps=steps, method="jax/backprop", **axes)
            status = "diverged" if steps == diverging else "ok"
            run.append(Record(run=run.id, suite="tiny", case=case, status=status, measured=measured))
        return run

    return add


def test_the_order_is_found_and_compared_with_theory(write, registry):
    write(1.0, problem="example2", scheme="heun")
    write(0.8, problem="example2", scheme="midpoint")
    run = write(1.4, problem="example2", scheme="slowrk")
    found = orders(load(run.folder), registry).set_index(["scheme", "of"])
    assert len(found) == 6
    assert found["order"]["heun", "θ"] == pytest.approx(1.0)
    assert found["low"]["heun", "y0"] == pytest.approx(1.0)  # the same paths at each step: no spread
    assert found["theory"].to_dict() == {
        ("heun", "θ"): 1, ("heun", "y0"): 1, ("midpoint", "θ"): 1, ("midpoint", "y0"): 1,
        ("slowrk", "θ"): 1.5, ("slowrk", "y0"): 1.5,
    }  # fmt: skip
    assert found["verdict"]["heun", "θ"] == "as theory says"
    assert found["verdict"]["midpoint", "θ"].startswith("below theory")
    assert found["verdict"]["slowrk", "θ"] == "as theory says"
    assert (
        tally(list(found["verdict"])) == "Of 6 orders of θ and y0 4 lie within 0.15 of theory, 2 are off or not fitted."
    )


def test_an_order_that_nears_theory_is_called_pre_asymptotic(write, registry):
    write(1.0, problem="example2", scheme="heun", next_order=2, next_size=64)  # halves: 1.66 and 1.34
    write(1.0, problem="example2", scheme="ralston", next_order=2, next_size=4096)  # still 1.9 over the finer half
    run = write(1.4, problem="example2", scheme="midpoint")  # off, and nothing changes
    verdicts = orders(load(run.folder), registry).set_index(["scheme", "of"])["verdict"]
    assert verdicts["heun", "θ"] == "above theory: pre-asymptotic, 1.66 from 16 to 64 steps, 1.34 to 256"
    assert verdicts["ralston", "θ"] == verdicts["midpoint", "θ"] == "above theory"


def test_one_path_comes_to_theory_step_by_step(write, registry):
    ode = {"problem": "lotka-volterra", "noise": "none", "dim": 2, "paths": 1}
    write(2.0, scheme="heun", next_order=4, next_size=512, **ode)
    write(2.0, scheme="ralston", next_order=3, next_size=64, **ode)  # nearer with each step, if not there
    run = write(2.4, scheme="midpoint", **ode)
    verdicts = orders(load(run.folder), registry).set_index(["scheme", "of"])["verdict"]
    assert verdicts["heun", "θ"] == "above theory: pre-asymptotic, 2.71 from 16 to 64 steps, 2.08 to 256"
    assert verdicts["ralston", "θ"] == "above theory: pre-asymptotic, 2.66 from 16 to 64 steps, 2.34 to 256"
    assert verdicts["midpoint", "θ"] == "above theory"


def test_a_scheme_s_note_explains_a_higher_order_alone(write, registry):
    ode = {"problem": "lotka-volterra", "noise": "none", "dim": 2, "paths": 1}
    write(5.5, bar=1e-20, scheme="coupled-rk4", **ode)
    run = write(3.5, bar=1e-20, scheme="dopri5", **ode)
    verdicts = orders(load(run.folder), registry).set_index(["scheme", "of"])["verdict"]
    assert verdicts["coupled-rk4", "θ"] == f"above theory: {registry.schemes['coupled-rk4'].order_note}"
    assert verdicts["dopri5", "θ"] == "below theory"


@pytest.mark.parametrize(("order", "above"), [(2.0, True), (1.2, False)])
def test_a_problem_s_note_explains_a_higher_order_alone(write, registry, order, above):
    run = write(order, problem="example2", calculus="stratonovich", scheme="slowrk")
    verdict = orders(load(run.folder), registry).set_index("of")["verdict"]["θ"]
    note = registry.problem("example2", noise="diagonal", calculus="stratonovich", dim=2).order_note("slowrk")
    assert note
    assert verdict == (f"above theory: {note}" if above else "below theory")


def test_what_the_errors_show_stands_beside_a_problem_s_note(write, registry):
    run = write(1.5, problem="example2", scheme="slowrk", next_order=2.5, next_size=64)
    verdict = orders(load(run.folder), registry).set_index("of")["verdict"]["θ"]
    assert verdict.startswith("above theory: the Stratonovich drift is zero")
    assert "; pre-asymptotic, 2.16 from 16 to 64 steps" in verdict


def test_unresolved_errors_are_left_out(write, registry):
    run = write(1.0, bar=0.01, problem="example2", scheme="heun")  # the finest three lie within three times the bar
    found = orders(load(run.folder), registry)
    assert (found["verdict"] == "not resolved at 5 step sizes").all()
    assert (found["sizes"] < 5).all()


def test_a_setting_that_diverges_has_a_row(write, registry):
    run = write(1.0, problem="example2", scheme="heun", diverging=16)
    found = orders(load(run.folder), registry)
    assert len(found) == 2
    assert (found["verdict"] == "not resolved at 5 step sizes, 1 having no finite gradient").all()


def test_a_scheme_that_is_not_here_has_no_theory(write, registry):
    run = write(1.0, problem="example2", scheme="somebody-elses")
    assert set(orders(load(run.folder), registry)["verdict"]) == {"no theory known"}
