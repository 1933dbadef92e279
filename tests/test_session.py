"""From a suite to its records, by an executor that measures nothing; and once for real, as a script does it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from executors import FakeExecutor

import harness
from harness import session
from harness.errors import InputError
from harness.store import Run, open_run
from harness.suite import Suite

SUITE: dict[str, Any] = {
    "name": "tiny",
    "title": "Does it all work?",
    "grid": [
        {
            "problem": "neural",
            "noise": "diagonal",
            "method": ["torch/backprop", "torch/floor"],
            "dim": 2,
            "batch": 4,
            "steps": [8, 16],
        }
    ],
    "measure": ["time"],
    "budget": {"rounds": 2},
}


def altered(**changes: Any) -> dict[str, Any]:
    """The suite with other entries; those of `grid` and `budget` are merged."""
    suite = {**SUITE, **changes}
    suite["budget"] = {**SUITE["budget"], **changes.get("budget", {})}
    suite["grid"] = [{**SUITE["grid"][0], **changes.get("grid", {})}]
    return suite


@pytest.fixture
def measure(tmp_path: Path) -> Callable[..., tuple[Run, FakeExecutor]]:
    """Measure a suite with a fake executor: the run, and the executor with what it was asked."""

    def run(
        suite: Mapping[str, Any] | Path,
        executor: FakeExecutor | None = None,
        only: tuple[str, ...] = (),
        **options: bool,
    ) -> tuple[Run, FakeExecutor]:
        executor = executor or FakeExecutor()
        planned = session.plan(session.resolve(session.read(suite)), only=only)
        opened = session.open_run(planned, results=tmp_path / "results", **options)
        return session.execute(opened, executor=executor).run, executor

    return run


def test_a_job_has_all_that_a_machine_needs(measure):
    run, executor = measure(altered(seed=7, measure=["time", "memory"]))
    first, second = executor.jobs
    assert {one.case.steps for one in first.cases} == {8}
    assert {one.case.steps for one in second.cases} == {16}
    assert (first.seed, first.budget.rounds, first.plugins) == (7, 2, ())
    assert set(executor.asked.values()) == {("time", "memory")}
    frame = run.frame()
    assert list(frame["status"]) == ["ok"] * 4
    assert set(frame["host"]) == {"fake"}


def test_a_run_for_a_gpu_alone_needs_one(measure, monkeypatch, tmp_path):
    monkeypatch.setattr(session, "cuda_devices", dict)
    resolved = session.resolve(session.read(SUITE), device="cuda")
    planned = session.plan(resolved)
    assert not planned.plan.cases
    with pytest.raises(InputError, match="device: given cuda; neither PyTorch nor JAX sees a CUDA device here"):
        session.open_run(planned, results=tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_a_run_stores_the_resolved_suite(measure):
    run, _ = measure(SUITE)
    (execution,) = run.about()["executions"]
    stored = Suite.model_validate(execution["suite"])
    assert stored == session.read(SUITE).suite
    assert execution["suite"]["grid"][0]["dtype"] == ["float32"]
    assert execution["suite"]["budget"]["timeout"] == 120.0
    assert execution["plugins"] == {}
    assert all(isinstance(warning, str) for warning in execution["warnings"])


def test_the_page_of_a_suite_given_as_a_mapping(measure, tmp_path):
    run, _ = measure(SUITE)
    page = session.report(
        session.Executed(run, interrupted=False, wall_seconds=1.0, busy_seconds=None), tmp_path / "report"
    )
    assert "Does it all work?" in page.read_text()


def test_a_complete_run_lacks_nothing(measure):
    run, _ = measure(SUITE)
    again, executor = measure(SUITE, resume=True)
    assert again == run
    assert executor.jobs == []
    assert len(again.history()) == 4


def test_an_interrupted_run_goes_on_where_it_stopped(measure):
    run, _ = measure(SUITE, FakeExecutor(interrupt_after=3))
    assert len(run.rows()) == 3
    _, executor = measure(SUITE, resume=True)
    assert executor.asked == {"torch/floor 16": ("time",)}
    assert len(run.history()) == 4


def test_what_was_known_of_a_case_when_a_run_was_interrupted_is_kept(measure):
    suite = altered(measure=["time", "memory", "error"])
    run, _ = measure(suite, FakeExecutor(interrupt_after=3, halfway=True))
    *_, row = run.rows()
    assert (row["status"], row["pending"], row["peak_bytes"]) == ("ok", ["memory", "error"], None)
    assert "memory, error" in row["reason"]
    run, executor = measure(suite, resume=True)
    assert executor.asked == {"torch/floor 16": ("memory",)}  # a floor has no errors
    *_, whole = run.rows()
    assert (whole["pending"], whole["reason"], whole["peak_bytes"]) == ([], "", 1000)
    assert whole["seconds"] == row["seconds"]
    assert len(run.rows()) == 4
    assert measure(suite, resume=True)[1].jobs == []


def test_a_wider_measure_measures_what_is_new_and_keeps_the_rest(measure):
    run, _ = measure(SUITE)
    before = run.rows()
    _, executor = measure(altered(measure=["time", "memory", "error"]), resume=True)
    assert executor.asked == {
        "torch/backprop 8": ("memory", "error"),
        "torch/floor 8": ("memory",),  # it has no gradient
        "torch/backprop 16": ("memory", "error"),
        "torch/floor 16": ("memory",),
    }
    after = run.rows()
    assert [row["seconds"] for row in after] == [row["seconds"] for row in before]
    assert [row["pairing"] for row in after] == [row["pairing"] for row in before]
    assert [row["peak_bytes"] for row in after] == [1000] * 4
    assert [row["execution"] for row in after] == [1] * 4
    assert run.history()[:4] == before
    _, executor = measure(altered(measure=["time", "memory", "error"]), resume=True)
    assert executor.jobs == []


def test_a_narrower_measure_lacks_nothing(measure):
    measure(altered(measure=["time", "memory"]))
    assert measure(altered(measure=["memory"]), resume=True)[1].jobs == []


def test_the_adjoint_error_is_part_of_the_error(measure):
    measure(altered(measure=["error"]))
    assert measure(altered(measure=["adjoint_error"]), resume=True)[1].jobs == []
    assert measure(altered(measure=["error", "adjoint_error"]), resume=True)[1].jobs == []


def test_more_replicates_measure_errors_again(measure):
    measure(altered(measure=["time", "error"]))
    run, executor = measure(altered(measure=["time", "error"], budget={"replicates": 3}), resume=True)
    assert executor.asked == {"torch/backprop 8": ("error",), "torch/backprop 16": ("error",)}
    judged = [row for row in run.rows() if row["method"] == "torch/backprop"]
    assert [len(row["gradient_error_theta"]) for row in judged] == [3, 3]
    assert measure(altered(measure=["time", "error"], budget={"replicates": 2}), resume=True)[1].jobs == []


def test_an_ode_has_one_path(measure):
    grid = {"noise": "none"}
    measure(altered(measure=["error"], grid=grid))
    assert measure(altered(measure=["error"], grid=grid, budget={"replicates": 3}), resume=True)[1].jobs == []


@pytest.mark.parametrize(
    ("budget", "again"),
    [
        ({"rounds": 3}, True),
        ({"rounds": 1}, False),
        ({"seconds": 100.0}, False),  # what ended the rounds was their number
        ({"rounds": 3, "precision": 0.9}, True),  # two samples tell no interval
        ({"timeout": 500.0}, False),
    ],
)
def test_a_larger_budget_of_time_times_whole_blocks_again(measure, budget, again):
    run, _ = measure(SUITE)
    before = {row["pairing"] for row in run.rows()}
    _, executor = measure(altered(budget=budget), FakeExecutor(), resume=True)
    assert len(executor.asked) == (4 if again else 0)
    if again:
        assert set(executor.asked.values()) == {("time",)}
        assert [len(row["seconds"]) for row in run.rows()] == [3] * 4
        assert len(run.history()) == 8
    else:
        assert {row["pairing"] for row in run.rows()} == before


def test_finer_references_are_asked_for_where_the_bar_is_not_small(measure):
    measure(altered(measure=["error"]))
    _, executor = measure(altered(measure=["error"], budget={"reference_steps": 2**18}), resume=True)
    assert executor.asked == {"torch/backprop 8": ("error",), "torch/backprop 16": ("error",)}
    assert measure(altered(measure=["error"], budget={"reference_steps": 2**18}), resume=True)[1].jobs == []


def test_an_unstable_case_stays_so_where_its_memory_is_measured_later(measure):
    suite = altered(measure=["error"])
    run, _ = measure(suite, FakeExecutor(lambda _: ("unstable", "its states grow")))
    measure(altered(measure=["error", "memory"]), resume=True)
    assert {(row["status"], row["reason"], row["peak_bytes"]) for row in run.rows()} == {
        ("unstable", "its states grow", 1000)
    }


@pytest.mark.parametrize("status", ["failed", "timeout", "out-of-memory"])
def test_failures_are_measured_again_where_asked(measure, status):
    def fails(case):
        return (status, "because") if case.method == "torch/backprop" else ("ok", "")

    run, _ = measure(SUITE, FakeExecutor(fails))
    assert measure(SUITE, resume=True)[1].jobs == []
    _, executor = measure(SUITE, resume=True, retry_failed=True)
    assert executor.asked == {"torch/backprop 8": ("time",), "torch/backprop 16": ("time",)}
    assert {row["status"] for row in run.rows()} == {"ok"}
    assert measure(SUITE, resume=True, retry_failed=True)[1].jobs == []


@pytest.mark.parametrize(("again", "budget"), [({"retry_failed": True}, {}), ({}, {"reference_steps": 2**18})])
def test_errors_without_a_reference_are_measured_again_where_asked_or_with_more_steps(measure, again, budget):
    """The time and the record of the case stand, and a plain --resume doesn't try it again."""

    def no_reference(case):
        return ("ok", "no gradient error: no reference: too slow" if case.method == "torch/backprop" else "")

    suite = altered(measure=["time", "error"])
    run, _ = measure(suite, FakeExecutor(no_reference))
    before = {row["case"]: row["seconds"] for row in run.rows()}
    assert measure(suite, resume=True)[1].jobs == []
    _, executor = measure(altered(measure=["time", "error"], budget=budget), resume=True, **again)
    assert executor.asked == {"torch/backprop 8": ("error",), "torch/backprop 16": ("error",)}
    assert {row["reason"] for row in run.rows()} == {""}
    assert {row["case"]: row["seconds"] for row in run.rows()} == before


@pytest.mark.parametrize("status", ["failed", "timeout"])
def test_a_reference_that_fails_later_leaves_the_time_where_it_is(measure, status):
    """Errors are asked for afterwards: the case has its time already, and stays ok."""
    measure(SUITE)
    wider = altered(measure=["time", "error"])
    fails = FakeExecutor(lambda _: (status, "no reference: too slow"))
    run, executor = measure(wider, fails, resume=True)
    assert executor.asked == {"torch/backprop 8": ("error",), "torch/backprop 16": ("error",)}
    rows = [row for row in run.rows() if row["method"] == "torch/backprop"]
    assert {(row["status"], row["reason"], bool(row["seconds"])) for row in rows} == {
        ("ok", "no reference: too slow", True)
    }
    assert measure(wider, resume=True)[1].jobs == []
    assert len(measure(wider, resume=True, retry_failed=True)[1].asked) == 2


def test_retrying_alone_is_refused(measure):
    with pytest.raises(InputError, match="--resume"):
        measure(SUITE, retry_failed=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 5}, ["seed", "5", "0"]),
        ({"grid": {"steps": [8, 32]}}, ["grid.0.steps", "[8, 32]", "[8, 16]"]),
        ({"grid": {"method": "torch/*"}}, ["grid.0.method"]),
        ({"grid": {"dtype": "float64"}}, ["grid.0.dtype"]),
    ],
)
def test_another_grid_or_seed_is_refused_in_one_sentence(measure, changes, words):
    run, _ = measure(SUITE)
    with pytest.raises(InputError) as caught:
        measure(altered(**changes), resume=True)
    message = str(caught.value)
    for word in (*words, str(run.folder), "leave out --resume"):
        assert word in message
    assert len(run.about()["executions"]) == 1


def test_a_grid_written_in_another_way_is_the_same(measure):
    measure(SUITE)
    assert measure(altered(grid={"steps": [16, 8, 8], "rtol": 0.5}), resume=True)[1].jobs == []


def test_a_part_can_be_resumed_to_the_whole(measure):
    run, _ = measure(SUITE, only=("steps=8",))
    assert len(run.rows()) == 2
    _, executor = measure(SUITE, resume=True)
    assert set(executor.asked) == {"torch/backprop 16", "torch/floor 16"}


PLUGIN = """
from harness import AbstractGradientMethod

class Mine(AbstractGradientMethod):
    name = "test/mine"
    framework = "numpy"
    summary = "for the test"

    def build(self, problem, scheme, case, path):
        return None
"""


@pytest.fixture
def plugged(tmp_path) -> Path:
    """A suite's file beside a plugin."""
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "tiny.yaml").write_text(
        "{name: tiny, title: A plugin, measure: [time], plugins: [mine.py], budget: {rounds: 2}, grid: [{problem: "
        "neural, noise: none, method: [test/mine, torch/backprop], dim: 2, batch: 4, steps: 8}]}"
    )
    return tmp_path / "tiny.yaml"


def test_an_edited_plugin_is_refused_unless_its_failures_are_retried(measure, plugged):
    def fails(case):
        return ("failed", "because") if case.method == "test/mine" else ("ok", "")

    run, executor = measure(plugged, FakeExecutor(fails))
    assert executor.jobs[0].plugins == (str(plugged.parent / "mine.py"),)
    (plugged.parent / "mine.py").write_text(PLUGIN + "# mended\n")
    with pytest.raises(InputError, match=r"mine\.py was edited"):
        measure(plugged, resume=True)
    _, executor = measure(plugged, resume=True, retry_failed=True)
    assert set(executor.asked) == {"test/mine 8"}
    assert {row["status"] for row in run.rows()} == {"ok"}
    first, second = (execution["plugins"]["mine.py"] for execution in run.about()["executions"])
    assert first != second
    assert measure(plugged, resume=True)[1].jobs == []


MODEL = """
import harness, torch
from layers import rate

@harness.torch.model
def decay(solve):
    p = torch.nn.Parameter(torch.tensor(rate))
    return lambda: solve.odeint(lambda t, y: -p * y, torch.ones(2, 2), torch.linspace(0, 1, 2)).sum(), [p]
"""


def test_the_cases_that_there_was_no_time_for_are_counted(tmp_path):
    planned = session.plan(session.resolve(session.read(altered())))
    opened = session.open_run(planned, results=tmp_path)
    blocks = iter([True, False])
    executed = session.execute(opened, executor=FakeExecutor(), go_on=lambda: next(blocks))
    assert opened.left(executed) == 2
    assert opened.left(executed) == len(opened.work.cases) - len(executed.run.frame())


def test_an_edited_import_of_a_model_is_refused(measure, tmp_path):
    """A file beside the model, which it imports; one that it doesn't import is none of it."""
    suite = tmp_path / "tiny.yaml"
    suite.write_text(
        "{name: tiny, title: A model, measure: [time], grid: [{problem: 'mine.py:decay', method: torch/backprop, "
        "scheme: heun, steps: 8}]}"
    )
    (tmp_path / "mine.py").write_text(MODEL)
    (tmp_path / "layers.py").write_text("rate = 1.0\n")
    (tmp_path / "other.py").write_text("")
    run, _ = measure(suite)
    (execution,) = run.about()["executions"]
    assert sorted(execution["plugins"]) == ["layers.py", "mine.py"]
    (tmp_path / "layers.py").write_text("rate = 2.0\n")
    with pytest.raises(InputError, match=r"layers\.py was edited"):
        measure(suite, resume=True)


def test_a_run_of_version_1_is_read_but_not_resumed(measure, tmp_path):
    old = Path(__file__).parent / "data/version-1"  # some records of 2026-11-26
    folder = tmp_path / "results/tiny/2026-01-01T00-00-00Z"
    folder.mkdir(parents=True)
    for file in old.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    assert len(open_run(folder).frame())
    with pytest.raises(InputError, match="earlier version"):
        measure(SUITE, resume=True)


SCRIPT = """
import sys
import harness

run = harness.measure({
    "name": "inline", "title": "From Python?", "measure": ["time"], "budget": {"rounds": 2, "seconds": 1},
    "grid": [{"problem": "neural", "noise": "none", "method": "torch/backprop", "dim": 2, "batch": 4, "steps": 8}],
})
assert not {"torch", "jax"} & set(sys.modules)
(row,) = run.frame().to_dict("records")
assert row["status"] == "ok", row["reason"]
assert len(row["seconds"]) == 2
assert row["host"]
print("measured")
"""


def test_a_script_measures_with_real_children(tmp_path):
    """Its top level is not executed again in the children, though no `if __name__ == "__main__"` guards it."""
    (tmp_path / "script.py").write_text(SCRIPT)
    found = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True)
    assert found.stdout == "measured\n", found.stderr
    (folder,) = (tmp_path / "results/inline").iterdir()
    assert harness.load(folder)["case"].is_unique
