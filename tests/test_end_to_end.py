"""The real thing: a suite from YAML to records and page, killed and resumed, interrupted, and with failing cases."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import command

import harness
from harness.store import RECORDS

SUITE = """
name: tiny
title: Does it all work?
seed: 1
grid:
  - problem: neural
    noise: none
    method: [torch/backprop, torch/reversible, torch/floor, jax/backprop, torchsde/backprop, torchdiffeq/backprop]
    dim: 2
    batch: 4
    steps: 8
  - problem: neural-commutative
    noise: diagonal
    method: [torch/backprop, torch/reversible, torch/floor, jax/backprop, torchsde/backprop, torchdiffeq/backprop]
    dim: 2
    batch: 4
    steps: 8
budget: {rounds: 2, seconds: 5, replicates: 2}
report:
  - {figure: points, x: method, y: seconds_median, facet: noise}
"""


def typed(*arguments: str) -> list[str]:
    """The command line, as a user types it, in a process of its own."""
    return [sys.executable, "-m", "harness", *arguments]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with the suite, and its run."""
    made = tmp_path_factory.mktemp("project")
    (made / "tiny.yaml").write_text(SUITE)
    found = subprocess.run(typed("run", "tiny.yaml"), cwd=made, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    return made


def run_folder(folder: Path) -> Path:
    """The only run."""
    (path,) = (folder / "results" / "tiny").iterdir()
    return path


def test_every_case_has_a_record(folder):
    frame = harness.load(run_folder(folder))
    assert frame["status"].value_counts().to_dict() == {"ok": 10, "unsupported": 2}
    assert frame["case"].is_unique


def test_the_numbers_make_sense(folder):
    frame = harness.load(run_folder(folder))
    ok = frame[frame["status"] == "ok"]
    assert (ok["seconds"].map(len) == 2).all()
    assert (ok["seconds_median"] > 0).all()
    assert (ok["peak_bytes"] > 0).all()
    exact = ok[ok["approach"] != "floor"]
    paths = exact["noise"].map({"none": 1, "diagonal": 2})  # an ODE has but one
    assert (exact["gradient_error_theta"].map(len) == paths).all()
    assert (exact["gradient_cosine_theta_median"] > 0.9).all()
    assert (exact["adjoint_error_theta_median"] < 1e-5).all()  # float32
    assert (ok[ok["approach"] == "floor"]["gradient_error_theta"].map(len) == 0).all()
    assert (ok[ok["backend"].isin(["jax"])]["xla_temp_bytes"] > 0).all()
    assert ok["floor_ratio"].notna().any()


def test_one_thread_is_one_thread(folder):
    frame = harness.load(run_folder(folder))
    assert (frame["cpu_ratio"].dropna() < 1.1).all()


def test_run_json_names_the_environment(folder):
    (execution,) = json.loads((run_folder(folder) / "run.json").read_text())["executions"]
    assert execution["suite_text"] == SUITE
    assert execution["packages"]["torch"]
    assert {
        "processor",
        "usable_cores",
        "memory_bytes",
        "kernel",
        "variables",
        "git_revision",
        "seed",
    } <= set(execution)


def test_resuming_a_complete_run_measures_nothing(folder):
    before = (run_folder(folder) / RECORDS).read_text()
    found = command(folder, "run", "tiny.yaml", "--resume")
    assert found.returncode == 0
    assert "0 cases to measure" in found.stderr
    assert (run_folder(folder) / RECORDS).read_text() == before


def test_show_and_report(folder):
    run = str(run_folder(folder))
    shown = command(folder, "show", run)
    assert shown.returncode == 0
    assert "torchsde/backprop" in shown.stdout
    assert "10 ok, 2 unsupported" in shown.stdout
    again = command(folder, "report", run, "--report", "elsewhere")
    assert again.returncode == 0
    assert again.stdout.strip() == "elsewhere/tiny.html"
    assert (folder / "elsewhere/index.html").exists()


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT])
def test_killed_and_resumed_is_as_if_never_killed(folder, tmp_path, kill):
    """Halfway, after the first block's records. Nothing is measured twice, nothing lost."""
    # The second block is timed for a second, so that the signal comes before the end on a busy machine too.
    slow = SUITE.replace("rounds: 2, seconds: 5", "rounds: 10000, seconds: 1, precision: 1.0e-9")
    fewer = slow.replace(", jax/backprop, torchsde/backprop, torchdiffeq/backprop", "")
    fewer += "measure: [time, memory, adjoint_error]\n"
    assert len({SUITE, slow, fewer}) == 3
    (tmp_path / "tiny.yaml").write_text(fewer)
    process = subprocess.Popen(
        # A test process that was itself started to ignore Ctrl-C would hand that down.
        ["env", "--default-signal=INT", *typed("run", "tiny.yaml")],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if any(path.read_bytes().count(b"\n") >= 3 for path in tmp_path.glob(f"results/tiny/*/{RECORDS}")):
            break
        time.sleep(0.02)
    if kill == signal.SIGINT:
        os.killpg(process.pid, kill)
    else:
        process.kill()
    process.communicate(timeout=60)
    assert process.returncode == (130 if kill == signal.SIGINT else -signal.SIGKILL)
    if kill == signal.SIGINT:
        assert (tmp_path / "report/tiny.html").exists()
    measured = len(harness.load(run_folder(tmp_path)))
    assert 3 <= measured < 6
    assert command(tmp_path, "run", "tiny.yaml", "--resume").returncode == 0
    resumed, whole = harness.load(run_folder(tmp_path)), harness.load(run_folder(folder))
    assert resumed["case"].is_unique
    assert set(resumed["case"]) == set(whole["case"][whole["method"].isin(resumed["method"])])
    assert len(resumed) == 6
    assert len(json.loads((run_folder(tmp_path) / "run.json").read_text())["executions"]) == 2


FAILING = """
import os, signal, time
from harness import AbstractGradientMethod, Gradient, UnsupportedError
import numpy as np

class _Base(AbstractGradientMethod):
    framework = "numpy"
    summary = "for the test"

    def unsupported(self, case):
        return None

class Crashes(_Base):
    name = "test/crashes"

    def build(self, problem, scheme, case, path):
        os.kill(os.getpid(), signal.SIGSEGV)

class Hangs(_Base):
    name = "test/hangs"

    def build(self, problem, scheme, case, path):
        return lambda: time.sleep(100)

class Raises(_Base):
    name = "test/raises"

    def build(self, problem, scheme, case, path):
        raise ValueError("a reason")

class Diverges(_Base):
    name = "test/diverges"

    def build(self, problem, scheme, case, path):
        y0, theta = (problem.values.y0, problem.values.theta)
        zeros = {name: np.zeros(value.shape, case.dtype) for name, value in theta.items()}
        return lambda: Gradient(float("nan"), zeros, np.zeros(y0.shape, case.dtype))

class Refuses(_Base):
    name = "test/refuses"

    def build(self, problem, scheme, case, path):
        raise UnsupportedError("found out late")
"""


def test_failing_cases_are_records_with_reasons(tmp_path):
    (tmp_path / "failing.py").write_text(FAILING)
    suite = SUITE.partition("grid:")[0] + (
        "grid:\n  - {problem: neural, noise: none, method: [test/*, torch/backprop], dim: 2, batch: 4, steps: 8}\n"
        "plugins: [failing.py]\nmeasure: [time]\nbudget: {timeout: 3, rounds: 1}\n"
    )
    (tmp_path / "tiny.yaml").write_text(suite)
    found = command(tmp_path, "run", "tiny.yaml")
    assert found.returncode == 1
    frame = harness.load(run_folder(tmp_path)).set_index("method")
    assert frame["status"].to_dict() == {
        "test/crashes": "failed",
        "test/hangs": "timeout",
        "test/raises": "failed",
        "test/diverges": "diverged",
        "test/refuses": "unsupported",
        "torch/backprop": "ok",
    }
    assert "SIGSEGV" in frame["reason"]["test/crashes"]
    assert "a reason" in frame["reason"]["test/raises"]
    page = (tmp_path / "report/tiny.html").read_text()
    assert "SIGSEGV" in page
    assert "a reason" in page


def test_doctor_finds_this_machine_well(tmp_path):
    """It measures a case in PyTorch and in JAX by the children that a run has."""
    found = command(tmp_path, "doctor")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "torch/backprop" in found.stdout
    assert "jax/backprop" in found.stdout
    assert "FAILED" not in found.stdout


def test_a_run_of_a_part_leaves_the_page_of_the_whole(tmp_path):
    def run(*options: str) -> str:
        found = command(tmp_path, "run", "tiny.yaml", *options)
        assert found.returncode == 0
        return found.stderr

    (tmp_path / "tiny.yaml").write_text(
        SUITE.partition("grid:")[0]
        + "grid: [{problem: neural, noise: none, method: [torch/backprop, torch/floor], dim: 2, batch: 4, steps: 8}]\n"
        + "measure: [time]\nbudget: {rounds: 2}\n"
    )
    (tmp_path / "report").mkdir()
    (tmp_path / "report/tiny.html").write_text("the page of the whole")
    assert "report/tiny.only.html" in run("--only", "method=torch/floor", "--results", "parts")
    assert (tmp_path / "report/tiny.html").read_text() == "the page of the whole"
    part = (tmp_path / "report/tiny.only.html").read_text()
    assert "A part of the suite: method=torch/floor." in part
    assert "tiny, a part" in (tmp_path / "report/index.html").read_text()
    (found,) = (tmp_path / "parts/tiny").iterdir()
    run("--resume", "--results", "parts")
    assert found.name in (tmp_path / "report/tiny.html").read_text()
