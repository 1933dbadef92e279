"""The store: nothing measured is lost, whatever kills the run."""

from __future__ import annotations

import json
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
    assert len(run.rows()) == 1
    run.append(record)
    assert len(run.rows()) == 2
    assert (run.folder / "records.jsonl").read_bytes().endswith(b"\n")


def test_a_damaged_line_elsewhere_is_said(run, record):
    run.append(record)
    path = run.folder / "records.jsonl"
    path.write_bytes(b"garbage\n" + path.read_bytes())
    with pytest.raises(InputError, match="line 1"):
        run.rows()


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
