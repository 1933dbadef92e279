"""A store that is damaged is one line that says where and what to do; damaged lines can be set aside."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import command
from executors import recorded

from harness.record import SCHEMA_VERSION
from harness.store import Run

SUITE = {
    "name": "toy",
    "title": "Toys",
    "grid": [{"problem": "linear", "noise": "none", "method": ["torch/floor", "jax/floor"]}],
    "measure": ["time"],
}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run of two records in `results/toy`."""
    return recorded(SUITE, tmp_path)


def changed(**values: Any) -> Callable[[dict[str, Any]], Any]:
    """A record with other values; without those that are `...`."""
    return lambda row: {name: value for name, value in (row | values).items() if value is not ...}


LINES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "a number": (lambda _: 5, "it is 5"),
    "null": (lambda _: None, "it is None"),
    "a list": (lambda _: [], "it is []"),
    "text": (lambda _: "row", "it is 'row'"),
    "nothing": (lambda _: {}, "has schema None"),
    "no schema": (changed(schema_version=...), "has schema None"),
    "an odd schema": (changed(schema_version=True), "has schema True"),
    "no case": (changed(case=...), "has no case"),
    "no method": (changed(method=...), "has no method"),
    "a null in an axis": (changed(steps=None), "its steps is None; needed: an integer"),
    "text for a number": (changed(peak_bytes="many"), "its peak_bytes is 'many'; needed: an integer"),
    "a number for a list": (changed(seconds=1.0), "its seconds is 1.0; needed: a list"),
    "text in a list": (changed(seconds=["1"]), "its seconds is ['1']; needed: a number"),
    "a boolean": (changed(batch=True), "its batch is True; needed: an integer"),
    "an odd status": (changed(status="fine"), "its status is 'fine'; allowed: ok"),
}
NOT_JSON = {"half a record": b'{"schema_version": 3, ', "no UTF-8": b"caf\xe9", "deep": b"[" * 100_000, "empty": b""}


def damage(run: Run, line: bytes) -> None:
    """Put a line before the others."""
    path = run.folder / "records.jsonl"
    path.write_bytes(line + b"\n" + path.read_bytes())


def check_refused(folder: Path, *words: str) -> None:
    """All commands that read the run refuse it in one line."""
    for arguments in (("show", "toy"), ("export", "toy"), ("report", "toy"), ("run", "toy.yaml", "--resume")):
        done = command(folder, *arguments)
        assert done.returncode == 2, arguments
        assert len(done.stderr.splitlines()) == 1
        for word in words:
            assert word in done.stderr


@pytest.mark.parametrize("name", [*LINES, *NOT_JSON])
def test_a_damaged_line_is_said_and_set_aside(tmp_path: Path, run: Run, name: str):
    whole = run.rows()
    line, words = NOT_JSON.get(name), "isn't JSON"
    if line is None:
        change, words = LINES[name]
        line = json.dumps(change(dict(whole[0]))).encode()
    damage(run, line)
    done = command(tmp_path, "show", "toy")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    for word in ("records.jsonl: line 1: ", words, "--repair"):
        assert word in done.stderr
    done = command(tmp_path, "show", "toy", "--repair")
    assert done.returncode == 0, done.stderr
    assert "1 damaged line set aside in damaged.jsonl" in done.stdout
    assert run.rows() == whole
    assert (run.folder / "damaged.jsonl").read_bytes() == line + b"\n"
    assert "0 damaged lines" in command(tmp_path, "show", "toy", "--repair").stdout


def test_every_command_refuses_a_damaged_line(tmp_path: Path, run: Run):
    damage(run, b"5")
    check_refused(tmp_path, "records.jsonl: line 1: ", "--repair")


def test_what_a_newer_version_wrote_is_not_set_aside(tmp_path: Path, run: Run):
    damage(run, json.dumps(dict(run.rows()[0]) | {"schema_version": SCHEMA_VERSION + 1}).encode())
    for options in ((), ("--repair",)):
        done = command(tmp_path, "show", "toy", *options)
        assert done.returncode == 2
        assert "a newer version of the harness reads it" in done.stderr
    assert not (run.folder / "damaged.jsonl").exists()


def test_a_record_that_stands_twice_counts_once(tmp_path: Path, run: Run):
    path = run.folder / "records.jsonl"
    path.write_bytes(path.read_bytes() * 2)
    assert len(run.rows()) == len(run.frame()) == 2
    assert "2 ok" in command(tmp_path, "show", "toy").stdout


ABOUT: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a list": lambda _: [],
    "a number": lambda _: 5,
    "no executions": lambda about: about | {"executions": []},
    "executions that are none": lambda about: about | {"executions": [5]},
    "no suite": lambda about: {name: about[name] for name in about if name != "suite"},
    "an unknown schema": lambda about: about | {"schema_version": "new"},
    "an execution without anything": lambda about: about | {"executions": [{}]},
    "a suite of another kind": lambda about: about | {"executions": [about["executions"][0] | {"suite": 5}]},
    "backends of another kind": lambda about: about | {"executions": [about["executions"][0] | {"backends": {"a": 5}}]},
    "plugins of another kind": lambda about: about | {"executions": [about["executions"][0] | {"plugins": []}]},
}


@pytest.mark.parametrize("name", [*ABOUT, "no UTF-8", "half of it"])
def test_a_damaged_description_of_a_run_is_said(tmp_path: Path, run: Run, name: str):
    path = run.folder / "run.json"
    if name in ABOUT:
        path.write_text(json.dumps(ABOUT[name](dict(run.about()))))
    else:
        path.write_bytes(b"\xff\xfe{}" if name == "no UTF-8" else path.read_bytes()[:100])
    done = command(tmp_path, "show", "toy")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert str(run.folder) in done.stderr or "results/toy" in done.stderr


def test_every_command_refuses_a_record_of_an_execution_that_is_missing(tmp_path: Path, run: Run):
    path = run.folder / "records.jsonl"
    path.write_text(path.read_text().replace('"execution": 0', '"execution": 7'))
    check_refused(tmp_path, "execution 7")
