"""Blocks on the workers of a cluster: who measures what, and what becomes of a block whose worker is lost."""

from __future__ import annotations

import itertools
import json
import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from clusters import FakeCluster, refused, worker

from harness import session
from harness.case import Case
from harness.cluster.cluster import Dropped, Ended, Event, Joined, Left, Said, Worker
from harness.cluster.execution import MOST_LOSSES
from harness.cluster.executor import ClusterExecutor
from harness.errors import InputError, WorkersLostError
from harness.identity import Plugin
from harness.listener import Silent
from harness.machines import facts
from harness.runner.job import Outcome
from harness.store import Run

SUITE: dict[str, Any] = {
    "name": "tiny",
    "title": "Does it all work?",
    "grid": [{"problem": "linear", "noise": "none", "method": ["torch/backprop", "torch/floor"], "steps": [8, 16, 32]}],
    "measure": ["time", "memory"],
    "budget": {"rounds": 2},
}
CASES = 6


class Heard(Silent):
    """Remembers the notes, and the cases that are done."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.cases: list[Case] = []

    def note(self, what: str) -> None:
        """Remember it."""
        self.notes.append(what)

    def done(self, case: Case, status: str) -> None:
        """Remember it."""
        self.cases.append(case)


Measured = tuple[Run, Heard, session.Opened]


@pytest.fixture
def measure(tmp_path: Path) -> Callable[..., Measured]:
    """Measure a suite on a cluster: the run, what was heard of it, and how it was opened."""

    def run(cluster: FakeCluster, suite: dict[str, Any] | None = None, **options: Any) -> Measured:
        executor = ClusterExecutor(cluster, **options)
        planned = session.plan(session.resolve(session.read(suite or SUITE), executor=executor))
        opened = session.open_run(planned, results=tmp_path / "results")
        heard = Heard()
        return session.execute(opened, heard, executor).run, heard, opened

    return run


def test_a_cluster_that_is_gone_before_the_run_is_an_error_of_input(measure: Callable[..., Measured]):
    class Gone(FakeCluster):
        def workers(self) -> list[Worker]:
            raise ConnectionError("the connection to the scheduler is lost")

    with pytest.raises(InputError, match="--scheduler: the connection to the scheduler is lost"):
        measure(Gone(worker("a")))


def hosts(run: Run) -> list[str]:
    """The host of each record's execution, which is also the record's."""
    executions = run.about()["executions"]
    return [executions[row["execution"]]["host"] for row in run.rows()]


def dies(worker: Worker, events: Sequence[Event], after: int = 1) -> list[Event]:
    """The events of a block whose worker dies after so many."""
    return [*events[:after], Left(worker.address, told=False)]


def test_blocks_are_spread_and_each_machine_has_its_entry(measure):
    cluster = FakeCluster(worker("a"), worker("b"))
    run, heard, opened = measure(cluster)
    assert [row["status"] for row in run.rows()] == ["ok"] * CASES
    assert len(run.history()) == len(heard.cases) == CASES
    assert cluster.measured == [("a", 8), ("b", 16), ("a", 32)]
    assert cluster.most_at_once == 2
    assert [(one["host"], one["worker"]) for one in run.about()["executions"]] == [("host-a", "a"), ("host-b", "b")]
    assert hosts(run) == ["host-a"] * 2 + ["host-b"] * 2 + ["host-a"] * 2
    assert opened.notes == ()
    assert set(run.frame()["machine"]) == {"processor of a", "processor of b"}


def test_a_block_whose_worker_dies_is_measured_elsewhere(measure):
    cluster = FakeCluster(worker("a"), worker("b"))
    cluster.fate = lambda one, events: dies(one, events) if one.name == "a" else events
    run, heard, _ = measure(cluster)
    assert [row["status"] for row in run.rows()] == ["ok"] * CASES
    assert set(hosts(run)) == {"host-b"}
    assert [hosts(run)[0], run.history()[0]["execution"], len(run.history())] == ["host-b", 0, CASES + 1]
    assert len(heard.cases) == CASES  # each is done once, although one was measured twice
    (note,) = heard.notes
    assert "a on host-a died" in note
    assert len(cluster.cancelled) == 1


def test_a_block_that_ends_three_workers_fails_and_the_others_go_on(measure):
    """What was known of its cases is kept: one was complete, the other unfinished."""
    cluster = FakeCluster(*map(worker, "abcde"))
    cluster.fate = lambda one, events: dies(one, events) if cluster.measured[-1][1] == 8 else events
    run, heard, _ = measure(cluster)
    rows = run.rows()
    assert [steps for _, steps in cluster.measured].count(8) == MOST_LOSSES == 3
    assert [row["status"] for row in rows] == ["ok", *["ok"] * (CASES - 2), "failed"]
    assert rows[-1]["steps"] == 8
    assert rows[-1]["reason"].startswith("its block was lost 3 times: the worker ")
    assert rows[0]["steps"] == 8
    assert rows[0]["seconds"]
    assert len(cluster.present) == 2
    assert len(heard.notes) == MOST_LOSSES - 1


def test_what_a_lost_block_had_told_is_in_its_failed_record(measure):
    """The time of a case was known, and its memory wasn't. Nothing was known of the other case."""

    def halfway(one: Worker, events: Sequence[Event]) -> list[Event]:
        first = events[0]
        assert isinstance(first, Said)
        outcome: Outcome = pickle.loads(first.answer)
        timed = replace(outcome, pending=("memory",), measured=replace(outcome.measured, peak_bytes=None))
        return [Said(first.token, pickle.dumps(timed)), Left(one.address, told=False)]

    cluster = FakeCluster(*map(worker, "abcd"))
    cluster.fate = lambda one, events: halfway(one, events) if cluster.measured[-1][1] == 8 else events
    run, _, _ = measure(cluster)
    timed, unknown = (row for row in run.rows() if row["steps"] == 8)
    assert [timed["status"], unknown["status"]] == ["failed", "failed"]
    assert timed["seconds"] == [1.0, 2.0]
    assert (timed["pending"], timed["peak_bytes"], unknown["seconds"]) == ([], None, [])


def test_a_worker_that_leaves_as_it_was_told_costs_its_block_nothing(measure):
    cluster = FakeCluster(*map(worker, "abcdef"))

    def leaves(one: Worker, events: Sequence[Event]) -> list[Event]:
        return [events[0], Left(one.address, told=True)] if one.name != "f" else list(events)

    cluster.fate = leaves
    run, heard, _ = measure(cluster)
    assert [row["status"] for row in run.rows()] == ["ok"] * CASES
    assert all("left the cluster" in note for note in heard.notes)
    assert cluster.present == [worker("f")]


def test_a_process_that_ends_is_a_loss(measure):
    cluster = FakeCluster(worker("a"))

    def killed(one: Worker, events: Sequence[Event]) -> list[Event]:
        last = events[-1]
        assert isinstance(last, Ended)
        return [Ended(last.token, "the process was ended by SIGKILL")] if cluster.measured[-1][1] == 8 else list(events)

    cluster.fate = killed
    run, _, _ = measure(cluster)
    failed = [row for row in run.rows() if row["status"] == "failed"]
    assert {row["steps"] for row in failed} == {8}
    assert len(failed) == 2
    assert failed[0]["reason"].count("on the worker a the process was ended by SIGKILL") == MOST_LOSSES


def test_a_block_that_a_worker_refuses_is_not_tried_again(measure):
    cluster = FakeCluster(worker("a"))

    def refuses(one: Worker, events: Sequence[Event]) -> list[Event]:
        last = events[-1]
        assert isinstance(last, Ended)
        return [refused(last.token, "mine.py: gone"), last] if cluster.measured[-1][1] == 8 else list(events)

    cluster.fate = refuses
    run, _, _ = measure(cluster)
    assert [row["reason"] for row in run.rows() if row["status"] == "failed"] == [
        "the worker a can't measure it: mine.py: gone"
    ] * 2
    assert [steps for _, steps in cluster.measured] == [8, 16, 32]


def test_a_connection_that_was_lost_costs_nothing(measure):
    cluster = FakeCluster(worker("a"))
    dropped = iter([True])

    def drops(one: Worker, events: Sequence[Event]) -> list[Event]:
        last = events[-1]
        assert isinstance(last, Ended)
        return [events[0], Dropped(last.token)] if next(dropped, False) else list(events)

    cluster.fate = drops
    run, _, _ = measure(cluster)
    assert [row["status"] for row in run.rows()] == ["ok"] * CASES
    assert [steps for _, steps in cluster.measured] == [8, 8, 16, 32]


def test_what_comes_too_late_is_not_recorded(measure):
    """A worker that was given up tells more: its block is measured elsewhere."""
    cluster = FakeCluster(worker("a"), worker("b"))
    late: list[Event] = []

    def fate(one: Worker, events: Sequence[Event]) -> list[Event]:
        if one.name == "a":
            late.extend(events)
            return [Left(one.address, told=False)]
        stale, late[:] = [*late], []
        return [*stale, *events]

    cluster.fate = fate
    run, _, _ = measure(cluster)
    assert len(run.history()) == CASES
    assert set(hosts(run)) == {"host-b"}


def test_one_worker_of_a_machine_measures_at_a_time(measure):
    cluster = FakeCluster(worker("a", "m"), worker("b", "m"))
    run, _, opened = measure(cluster)
    assert cluster.most_at_once == 1
    assert {name for name, _ in cluster.measured} == {"a"}
    (note,) = opened.notes
    assert "a, b run on one machine" in note
    assert not run.about()["executions"][0]["warnings"]


def test_the_other_worker_of_a_machine_goes_on_if_one_dies(measure):
    cluster = FakeCluster(worker("a", "m"), worker("b", "m"))
    cluster.fate = lambda one, events: dies(one, events) if one.name == "a" else events
    run, _, _ = measure(cluster)
    assert [row["status"] for row in run.rows()] == ["ok"] * CASES
    assert [one["worker"] for one in run.about()["executions"]] == ["a", "b"]


def test_workers_that_share_their_machine_say_so(measure):
    both = {"BLOCK": 1, "SHARED": 1}
    cluster = FakeCluster(worker("a", "m", resources=both), worker("b", "m", resources=both))
    run, _, opened = measure(cluster)
    assert cluster.most_at_once == 2
    assert len(opened.notes) == 2
    for execution in run.about()["executions"]:
        assert execution["shared"] is True
        assert any("at the same time" in warning for warning in execution["warnings"])
    assert facts(run.about()["executions"][0], "")["shared"] == "shared with other blocks"


def test_a_block_goes_to_a_machine_that_can_measure_it(measure):
    suite = {**SUITE, "grid": [{**SUITE["grid"][0], "device": ["cpu", "cuda"]}]}
    cluster = FakeCluster(worker("a"), worker("b"), cuda={"b": frozenset({"torch"})})
    run, _, _ = measure(cluster, suite)
    frame = run.frame()
    assert set(frame["status"]) == {"ok"}
    on_gpu = [host for host, row in zip(hosts(run), run.rows(), strict=True) if row["device"] == "cuda"]
    assert on_gpu == ["host-b"] * CASES


def test_what_no_machine_can_measure_is_unsupported(measure):
    suite = {**SUITE, "grid": [{**SUITE["grid"][0], "device": ["cpu", "cuda"]}]}
    run, _, _ = measure(FakeCluster(worker("a"), worker("b")), suite)
    refused = [row for row in run.rows() if row["device"] == "cuda"]
    assert {row["status"] for row in refused} == {"unsupported"}
    assert "sees no CUDA device" in refused[0]["reason"]


def test_a_worker_that_joins_later_measures_too(measure):
    cluster = FakeCluster(worker("a"))

    def joins(one: Worker, events: Sequence[Event]) -> list[Event]:
        if len(cluster.present) == 1:
            cluster.present.append(worker("b"))
            return [events[0], Joined(), *events[1:]]
        return list(events)

    cluster.fate = joins
    run, _, _ = measure(cluster)
    assert {name for name, _ in cluster.measured} == {"a", "b"}
    assert [one["worker"] for one in run.about()["executions"]] == ["a", "b"]


def test_a_worker_that_joins_with_other_plugins_does_not_measure(measure):
    cluster = FakeCluster(worker("a"))

    def joins(one: Worker, events: Sequence[Event]) -> list[Event]:
        cluster.plugins = (Plugin("mine.py", "edited"),)
        cluster.present[1:] = [worker("b")]
        return [events[0], Joined(), *events[1:]]

    cluster.fate = joins
    run, heard, _ = measure(cluster)
    assert len(run.rows()) == CASES
    assert {name for name, _ in cluster.measured} == {"a"}
    (note,) = heard.notes
    assert note.startswith("The worker b doesn't measure: its file of mine.py differs from that on host-a")


def test_a_worker_that_joins_with_another_version_does_not_measure(measure):
    cluster = FakeCluster(worker("a"))

    def joins(one: Worker, events: Sequence[Event]) -> list[Event]:
        cluster.present[1:] = [worker("b", version="0.0.1")]
        return [events[0], Joined(), *events[1:]]

    cluster.fate = joins
    _, heard, _ = measure(cluster)
    assert {name for name, _ in cluster.measured} == {"a"}
    (note,) = heard.notes
    assert note.startswith("The worker b doesn't measure: it has gradient-harness 0.0.1, this machine has")


def test_a_worker_that_is_busy_is_not_waited_for(measure):
    """It measures once it has answered."""
    cluster = FakeCluster(worker("a"), worker("b"), busy=frozenset({"b"}))
    _, _, opened = measure(cluster, clock=itertools.count(0, 20).__next__)
    assert opened.notes == ("The worker b hasn't answered yet. It measures once it has.",)
    assert [name for name, _ in cluster.measured] == ["a", "a", "b"]


def test_plugins_that_differ_from_those_here_are_refused(measure):
    cluster = FakeCluster(worker("a"))
    cluster.plugins = (Plugin("mine.py", "edited"),)
    with pytest.raises(InputError, match=r"mine\.py: differs between this machine and host-a"):
        measure(cluster)


def test_a_run_waits_for_a_worker_and_then_gives_up(measure, tmp_path):
    """What was measured before is kept."""
    cluster = FakeCluster(worker("a"))
    cluster.fate = lambda one, events: dies(one, events)
    with pytest.raises(WorkersLostError, match="no worker is left"):
        measure(cluster, clock=itertools.count(0, 50).__next__)
    (run,) = (tmp_path / "results" / "tiny").iterdir()
    assert len(Run(run).rows()) == 1
    assert json.loads((run / "run.json").read_text())["executions"]


def test_an_interrupted_run_ends_what_it_started(measure):
    cluster = FakeCluster(worker("a"), worker("b"))

    def interrupts(one: Worker, events: Sequence[Event]) -> list[Event]:
        def receive(seconds: float) -> Event | None:
            raise KeyboardInterrupt

        if one.name == "b":
            cluster.receive = receive  # type: ignore[method-assign]
        return list(events)

    cluster.fate = interrupts
    run, _, _ = measure(cluster)
    assert len(cluster.cancelled) == 2
    assert run.rows() == []


@pytest.mark.parametrize(
    ("workers", "message"),
    [
        ([], r"no worker has joined.*BLOCK=1"),
        ([worker("a", resources={})], "no worker has the resource BLOCK: a; start each worker with"),
        ([worker("a", resources={"BLOCK": 2})], "worker a: has the resource BLOCK=2; needed: BLOCK=1"),
        ([worker("a"), worker("b", version="0.0.1")], r"worker b: has gradient-harness 0\.0\.1, this machine has"),
        ([worker("a", version=None)], "worker a: lacks the harness"),
    ],
)
def test_workers_that_may_not_measure_are_refused(measure, workers, message):
    with pytest.raises(InputError, match=message):
        measure(FakeCluster(*workers))


def test_a_worker_without_the_resource_is_left_alone(measure):
    cluster = FakeCluster(worker("a"), worker("b", resources={}, version=None))
    measure(cluster)
    assert {name for name, _ in cluster.measured} == {"a"}
