"""The store: nothing measured is lost, whatever kills the run."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.record import Measured, Record, columns
from harness.store import new_run, newest_run, open_run


@pytest.fixture
def run(tmp_path: Path):
    """A run with its run.json."""
    made = new_run(tmp_path, "tiny")
    made.add_execution("tiny", {"seed": 0})
    return made


@pytest.fixture
def record(make_case):
    """A record with one sample."""
    return Record(run="r", suite="tiny", case=make_case(), status="ok", measured=Measured(seconds=(0.5, float("nan"))))


def test_a_record_is_one_flat_line_with_all_columns(run, record):
    run.append(record)
    (line,) = (run.folder / "records.jsonl").read_text().splitlines()
    row = json.loads(line)
    assert tuple(row) == columns()
    assert row["seconds"] == [0.5, None]
    assert (row["backend"], row["approach"]) == ("torch", "backprop")


@pytest.mark.parametrize("torn", [b'{"schema_ver', b"{", b'{"schema_version": 1, "run": "r"}'])
def test_a_torn_last_line_is_dropped_and_written_over(run, record, torn):
    run.append(record)
    with (run.folder / "records.jsonl").open("ab") as file:
        file.write(torn)
    assert len(run.history()) == 1
    run.append(record)
    assert len(run.history()) == 2
    assert (run.folder / "records.jsonl").read_bytes().endswith(b"\n")


def test_a_damaged_line_elsewhere_is_said(run, record):
    run.append(record)
    path = run.folder / "records.jsonl"
    path.write_bytes(b"garbage\n" + path.read_bytes())
    with pytest.raises(InputError, match="line 1"):
        run.rows()


def test_the_newest_record_of_a_case_counts(run, record, make_case):
    run.add_execution("tiny", {})
    other = replace(record, case=make_case(method="torch/adjoint"))
    newer = replace(record, status="failed", execution=1)
    for one in (record, other, newer):
        run.append(one)
    assert [(row["method"], row["status"]) for row in run.rows()] == [
        ("torch/backprop", "failed"),
        ("torch/adjoint", "ok"),
    ]
    assert [row["execution"] for row in run.history()] == [0, 0, 1]
    assert list(run.frame()["status"]) == ["failed", "ok"]


@pytest.mark.parametrize(
    ("version", "lacks"),
    [
        (1, ("execution", "host", "pending", "anchor_seconds", "matmul")),
        (2, ("pending", "anchor_seconds", "matmul")),
        (4, ("matmul",)),
    ],
)
def test_records_of_earlier_versions_are_read(run, record, version, lacks):
    row = json.loads(record.to_json())
    old = {**{name: row[name] for name in row if name not in lacks}, "schema_version": version}
    (run.folder / "records.jsonl").write_text(json.dumps(old) + "\n")
    (found,) = run.rows()
    absent = {"execution": None, "host": None, "pending": [], "anchor_seconds": [], "matmul": "full"}
    assert found == {**row, "schema_version": version, **{name: absent[name] for name in lacks}}


def test_a_schema_that_is_not_known_is_said(run, record):
    row = {**json.loads(record.to_json()), "schema_version": 99}
    (run.folder / "records.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(InputError, match="schema 99"):
        run.rows()


def test_values_are_read_back_from_a_record(run, record):
    run.append(record)
    (row,) = run.rows()
    assert Measured.of(row) == Measured(seconds=(0.5, math.inf))


def test_newer_values_replace_older_ones_and_keep_the_others():
    older = Measured(seconds=(1.0,), pairing="a", peak_bytes=5, host="here")
    newer = Measured(seconds=(2.0, 3.0), pairing="b", host="there")
    assert older.updated(newer) == Measured(seconds=(2.0, 3.0), pairing="b", peak_bytes=5, host="there")


def test_samples_and_those_of_their_anchor_are_replaced_together():
    older = Measured(seconds=(1.0,), anchor_seconds=(0.5,))
    assert older.updated(Measured(seconds=(2.0,))).anchor_seconds == ()
    assert older.updated(Measured(peak_bytes=1)).anchor_seconds == (0.5,)


def test_the_newest_run(tmp_path, run):
    later = new_run(tmp_path, "tiny")
    assert later.folder != run.folder
    assert newest_run(tmp_path, "tiny") == run  # the later one has no run.json: it never began
    later.add_execution("tiny", {})
    assert newest_run(tmp_path, "tiny") == later
    assert newest_run(tmp_path, "other") is None


def test_executions_add_up(run):
    run.add_execution("tiny", {"seed": 1})
    assert [e["seed"] for e in run.about()["executions"]] == [0, 1]


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"run\.json"):
        open_run(tmp_path)


def test_the_run_that_comes_with_the_project_is_named_where_none_was_measured(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    published = new_run(tmp_path / "results/published", "tiny")
    published.add_execution("tiny", {})
    assert open_run(Path("published/tiny")).folder.name == published.folder.name
    with pytest.raises(InputError, match="published/tiny is the one that comes with the project"):
        open_run(Path("tiny"), Path("results"))
    with pytest.raises(InputError, match=r"was measured here$"):
        open_run(Path("other"), Path("results"))


def test_times_of_observations_are_words_of_their_own(run, record, make_case):
    """They tell apart records of equal numbers of observations, and read so in the name of a line."""
    for observations in (2, (0.1, 1.0)):
        run.append(replace(record, case=make_case(observations=observations)))
    assert list(run.frame()["observations"]) == [2, "observed at 0.1, 1"]
