"""Two runs compared: made-up records, so that every change is known."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cases import small_case
from commands import command
from many_records import ENVIRONMENT

from harness.comparison import Comparison, compare
from harness.comparison.summary import sentences, summary
from harness.errors import InputError
from harness.record import Measured, Record
from harness.report.comparison_page import write_comparison
from harness.store import Run, new_run

SUITE = "name: made\ntitle: What does it cost?\ngrid: [{problem: neural, noise: diagonal, method: torch/backprop}]\n"
METHODS = ("torch/backprop", "torch/adjoint", "torch/floor", "diffrax/direct")


def run_of(
    folder: Path,
    *,
    slower: dict[str, float] | None = None,
    drift: float = 1.0,
    samples: int = 10,
    environment: dict[str, Any] | None = None,
    changed: dict[str, dict[str, Any]] | None = None,
    status: dict[str, str] | None = None,
    methods: tuple[str, ...] = METHODS,
    seed: int = 0,
) -> Run:
    """A run of four methods at two sizes, timed in rounds that share a disturbance of 20% and differ by 1%.

    `slower` multiplies the times of a method, `drift` those of all; `changed` replaces measured values.
    """
    made, draw = new_run(folder, "made"), random.Random(seed)
    made.add_execution("made", ENVIRONMENT | (environment or {}) | {"suite_text": SUITE})
    for steps in (16, 32):
        rounds = [drift * draw.lognormvariate(0, 0.2) for _ in range(samples)]
        for method in methods:
            factor = (slower or {}).get(method, 1.0)
            measured = Measured(
                seconds=tuple(1e-3 * steps * factor * r * draw.lognormvariate(0, 0.01) for r in rounds),
                pairing=f"{steps}",
                host="here",
                peak_bytes=1000 * steps,
                gradient_error_theta=(1e-2, 2e-2),
                adjoint_error_theta=(1e-15, 2e-15),
                reference_error_theta=(1e-6, 1e-6),
                calibration_seconds=(4e-3 * drift, 4e-3 * drift),
            )
            became = (status or {}).get(method, "ok")
            record = Record(
                run=made.id,
                suite="made",
                case=small_case(method=method, steps=steps),
                status=became,
                reason="" if became == "ok" else "it broke",
                measured=replace(measured, **(changed or {}).get(method, {})) if became == "ok" else Measured(),
            )
            made.append(record)
    return made


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> Run:
    return run_of(tmp_path_factory.mktemp("before"))


def verdicts(comparison: Comparison, quantity: str) -> dict[str, set[str]]:
    """By method."""
    of = comparison.changes[comparison.changes["quantity"] == quantity]
    return {str(method): set(group["verdict"]) for method, group in of.groupby("method")}


def test_a_run_is_the_same_as_itself(before):
    found = compare(before, before)
    assert set(found.changes["ratio"]) == {1.0}
    assert set(found.changes["verdict"]) <= {"same", "unclear"}  # a time's interval may be wide
    assert set(found.changes.loc[found.changes["quantity"] != "time", "verdict"]) == {"same"}
    assert (found.only_before, found.only_after, found.environment, found.other_machines) == (0, 0, [], ())
    assert found.machine_ratio == 1.0
    assert found.statuses.empty
    assert found.regressions(0.0).empty


def test_a_method_that_became_slower_is_found(before, tmp_path):
    found = compare(before, run_of(tmp_path, slower={"diffrax/direct": 2.0}, seed=1))
    times = found.changes[(found.changes["quantity"] == "time") & (found.changes["method"] == "diffrax/direct")]
    assert set(times["verdict"]) == {"worse"}
    assert times["ratio"].between(1.5, 2.6).all()
    assert set(found.regressions(0.1)["method"]) == {"diffrax/direct"}
    assert found.regressions(2.0).empty


def test_relative_times_need_no_steady_machine(before, tmp_path):
    """The whole machine is 1.5 times slower, and one method by 8% in addition: rounds that share a disturbance tell."""
    after = run_of(tmp_path, slower={"torch/adjoint": 1.08}, drift=1.5, seed=1)
    assert verdicts(compare(before, after), "time")["torch/backprop"] == {"unclear"}  # it may be the machine alone
    found = compare(before, after, relative_to="torch/floor")
    assert verdicts(found, "time") == {
        "torch/adjoint": {"worse"},
        "torch/backprop": {"same"},
        "torch/floor": {"same"},
        "diffrax/direct": {"same"},
    }
    assert found.machine_ratio == pytest.approx(1.5)
    assert any("machine itself" in sentence for sentence in sentences(found))
    ratio = found.changes[(found.changes["quantity"] == "time") & (found.changes["method"] == "torch/adjoint")]
    assert ratio["ratio"].to_list() == pytest.approx([1.08, 1.08], rel=0.02)
    assert set(ratio["unit"]) == {"ratio"}


def test_memory_and_errors_have_no_spread(before, tmp_path):
    changed = {
        "torch/backprop": {"peak_bytes": 17_000, "gradient_error_theta": (3e-2, 6e-2)},
        "torch/adjoint": {"adjoint_error_theta": (3e-15, 9e-15), "gradient_error_theta": (1.01e-2, 2.02e-2)},
        "diffrax/direct": {"reference_error_theta": (1e-1, 1e-1)},
    }
    found = compare(before, run_of(tmp_path, changed=changed))
    assert verdicts(found, "memory")["torch/backprop"] == {"worse", "better"}  # 17,000 bytes at 16 and at 32 steps
    assert verdicts(found, "memory")["torch/adjoint"] == {"same"}
    assert verdicts(found, "gradient_error_theta") == {
        "torch/backprop": {"worse"},
        "torch/adjoint": {"same"},
        "torch/floor": {"same"},
        "diffrax/direct": {"unclear"},  # the reference doesn't resolve it
    }
    assert set(found.changes.loc[found.changes["quantity"] == "adjoint_error_theta", "verdict"]) == {"same"}  # rounding


def test_few_samples_are_not_judged(before, tmp_path):
    found = compare(before, run_of(tmp_path, slower=dict.fromkeys(METHODS, 3.0), samples=2))
    assert {verdict for of in verdicts(found, "time").values() for verdict in of} == {"unclear"}
    assert any("fewer than 3 samples" in sentence for sentence in sentences(found))


def test_times_of_two_kinds_of_machine_are_not_judged_unless_asked(before, tmp_path):
    after = run_of(tmp_path, slower=dict.fromkeys(METHODS, 3.0), environment={"processor": "another one"})
    found = compare(before, after)
    assert {verdict for of in verdicts(found, "time").values() for verdict in of} == {"unclear"}
    assert found.regressions(0.0).empty
    assert any("two kinds of machine" in sentence for sentence in sentences(found))
    asked = compare(before, after, across_machines=True)
    assert {verdict for of in verdicts(asked, "time").values() for verdict in of} == {"worse"}


def test_what_differs_around_the_runs_is_told(before, tmp_path):
    packages = {"torch": "1", "jax": "3", "diffrax": "0.7"}
    found = compare(before, run_of(tmp_path, environment={"packages": packages, "python": "4"}))
    assert {(one.name, one.before, one.after) for one in found.environment} == {
        ("python", "3", "4"),
        ("jax", "2", "3"),
        ("diffrax", "nothing", "0.7"),
    }
    assert found.other_machines == ()


def test_cases_that_break_are_regressions(before, tmp_path):
    found = compare(before, run_of(tmp_path, status={"diffrax/direct": "failed"}))
    assert found.broken["method"].to_list() == ["diffrax/direct"] * 2
    assert set(found.broken["reason"]) == {"it broke"}
    mended = compare(run_of(tmp_path, status={"diffrax/direct": "failed"}), before)
    assert mended.broken.empty
    assert set(mended.statuses["verdict"]) == {"better"}


def test_cases_of_one_run_alone_are_counted(before, tmp_path):
    found = compare(before, run_of(tmp_path, methods=METHODS[:2]))
    assert (found.only_before, found.only_after) == (4, 0)
    assert set(compare(before, before, only=["method=torch/*", "steps=16"]).changes["steps"]) == {16}


def test_what_can_not_be_compared_is_refused(before, tmp_path):
    with pytest.raises(InputError, match="no case in common"):
        compare(before, run_of(tmp_path, methods=("jax/backprop",)))
    with pytest.raises(InputError, match=r"torch/flor.*did you mean 'torch/floor'"):
        compare(before, before, relative_to="torch/flor")
    with pytest.raises(InputError, match=r"stepz.*did you mean 'steps'"):
        compare(before, before, only=["stepz=16"])


def test_the_summary_has_a_row_a_quantity_and_method(before, tmp_path):
    found = summary(compare(before, run_of(tmp_path, slower={"torch/adjoint": 2.0}, seed=2)).changes)
    row = found[(found["quantity"] == "time") & (found["method"] == "torch/adjoint")].iloc[0]
    assert (row["cases"], row["worse"]) == (2, 2)
    assert row["least"] <= row["mean"] <= row["greatest"]
    assert math.isclose(row["mean"], math.sqrt(row["least"] * row["greatest"]))


def test_the_command_fails_on_a_regression_alone(before, tmp_path):
    after = run_of(tmp_path, slower={"diffrax/direct": 1.5}, seed=1)
    runs, relative = (str(before.folder), str(after.folder)), ("--relative-to", "torch/floor")
    done = command(tmp_path, "compare", *runs, *relative)
    assert (done.returncode, "diffrax/direct" in done.stdout) == (0, True)
    done = command(tmp_path, "compare", *runs, *relative, "--fail-on-regression", "10%")
    assert (done.returncode, "2 regressions beyond 10%" in done.stdout) == (1, True)
    assert command(tmp_path, "compare", *runs, *relative, "--fail-on-regression", "80%").returncode == 0
    assert command(tmp_path, "compare", runs[0], runs[0], "--fail-on-regression", "0.1").returncode == 0
    done = command(tmp_path, "compare", *runs, "--json", "--only", "method=diffrax/*")
    found = json.loads(done.stdout)
    assert {change["method"] for change in found["changes"]} == {"diffrax/direct"}
    assert found["regressions"] is None


@pytest.mark.parametrize("given", ["ten", "-5%", "10", "nan", ""])
def test_a_wrong_percentage_is_refused(before, tmp_path, given):
    done = command(tmp_path, "compare", str(before.folder), str(before.folder), f"--threshold={given}")
    assert done.returncode == 2
    assert "allowed: a percentage such as 10%" in done.stderr


def test_the_page_of_a_comparison(before, tmp_path):
    after = run_of(tmp_path, slower={"diffrax/direct": 1.5}, status={"torch/adjoint": "timeout"}, seed=1)
    done = command(tmp_path, "compare", str(before.folder), str(after.folder), "--report", "pages")
    assert (done.returncode, "made.compare.html" in done.stdout) == (0, True)
    page = (tmp_path / "pages/made.compare.html").read_text()
    assert "<svg" in page
    assert "it broke" in page
    assert "What changed in made?" in (tmp_path / "pages/index.html").read_text()


def test_names_on_the_page_are_text(before, tmp_path):
    hostile = "<script>alert(1)</script>\u202e"
    after = run_of(tmp_path, status={"torch/adjoint": "failed"}, environment={"python": hostile})
    page = write_comparison(compare(before, after), tmp_path / "pages").read_text()
    assert "<script>alert" not in page
    assert "\u202e" not in page
