"""What a run's files can't hold is refused where it is read, in a sentence that says what is needed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.about import check_about
from harness.damage import DamageError, read_json, read_record
from harness.record import SCHEMA_VERSION, Measured, Record
from harness.store import READERS

VALUES = {
    "a negative time": ({"seconds": [-1.0]}, "its seconds is [-1.0]; needed: a number above 0"),
    "no time at all": ({"seconds": [0]}, "its seconds is [0]; needed: a number above 0"),
    "a negative memory": ({"peak_bytes": -1}, "its peak_bytes is -1; needed: an integer from 0"),
    "no steps": ({"steps": 0}, "its steps is 0; needed: an integer above 0"),
    "a fraction of a step": ({"steps": 1.5}, "its steps is 1.5; needed: an integer"),
    "more than 64 bits": ({"peak_bytes": 2**63}, "needed: an integer up to"),
    "more than a float holds": ({"compile_seconds": 10**400}, "its compile_seconds is an integer of about 400 digits"),
    "text for an integer": ({"dim": "2"}, "its dim is '2'; needed: an integer"),
    "a boolean for a number": ({"atol": True}, "its atol is True; needed: a number"),
    "a number for a text": ({"method": 5}, "its method is 5; needed: text"),
    "a noise that isn't": ({"noise": "loud"}, "its noise is 'loud'; allowed: none, additive"),
    "a negative execution": ({"execution": -1}, "its execution is -1; needed: an integer from 0"),
    "half a character": ({"method": "a/\ud800"}, "it holds half a character"),
    "a mapping": ({"seconds": {"a": 1}}, "its seconds is {'a': 1}; needed: a list"),
    "a list of lists": ({"seconds": [[1.0]]}, "its seconds is [[1.0]]; needed: a number"),
    "times that are texts": ({"observations": ["1"]}, "its observations is ['1']; needed: a number"),
}


@pytest.fixture
def row(make_case) -> dict[str, Any]:
    """A record as it is stored."""
    record = Record(run="r", suite="s", case=make_case(), status="ok", measured=Measured(seconds=(1.0,)))
    return json.loads(record.to_json())


@pytest.mark.parametrize("name", VALUES)
def test_a_value_that_no_run_writes(row: dict[str, Any], name: str):
    values, words = VALUES[name]
    with pytest.raises(DamageError) as raised:
        read_record(json.dumps(row | values).encode(), READERS)
    assert words in str(raised.value)


@pytest.mark.parametrize("text", [b"NaN", b"-Infinity", b"1e", b"\xff", b"", b"9" * 5000])
def test_what_is_no_json(text: bytes):
    with pytest.raises(ValueError):  # noqa: PT011 - the message is Python's
        read_json(b'{"a": ' + text + b"}")


def test_a_number_without_end(row: dict[str, Any]):
    """Python's reader makes infinity of it."""
    line = json.dumps(row).replace('"seconds": [1.0]', '"seconds": [1e400]')
    with pytest.raises(DamageError, match=r"its seconds is \[inf\]; needed: a number up to"):
        read_record(line.encode(), READERS)


def test_what_can_be_negative_or_null_is_read(row: dict[str, Any]):
    row |= {"retained_bytes": -5.0, "gradient_cosine_theta": [-1.0], "seconds": [1.0, None], "observations": [0.5, 1]}
    assert read_record(json.dumps(row).encode(), READERS) == row


def test_a_column_that_a_record_lacks_is_not_measured(row: dict[str, Any]):
    stored = {name: value for name, value in row.items() if name not in ("pairing", "gradient_error_y0", "peak_bytes")}
    assert read_record(json.dumps(stored).encode(), READERS) == row | {"gradient_error_y0": []}


ABOUT: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "suite": "s", "executions": [{}]}
EXECUTIONS = {
    "text for a list": ({"arguments": "run"}, "executions.0.arguments 'run'; needed: a list"),
    "a number in a list": ({"only": ["a", 5]}, "executions.0.only.1 5; needed: text"),
    "a list for a mapping": ({"packages": []}, "executions.0.packages []; needed: a mapping"),
    "a number for a version": ({"packages": {"torch": 2}}, "executions.0.packages.torch 2; needed: text"),
    "a list for a variable": ({"variables": {"A": []}}, "executions.0.variables.A []; needed: text"),
    "text for a number": ({"usable_cores": "2"}, "executions.0.usable_cores '2'; needed: an integer"),
    "negative memory": ({"memory_bytes": -1}, "executions.0.memory_bytes -1; needed: a number from 0"),
    "a list for a floor": ({"backends": {"a": {"floor": []}}}, "executions.0.backends.a.floor []; needed: text"),
    "three that are compared": ({"backends": {"a": {"comparable": [["x", "y", "z"]]}}}, "at most 2 items"),
    "a number for a style": ({"backends": {"a": {"style": 5}}}, "executions.0.backends.a.style 5; needed: a mapping"),
    "null": ({"suite_text": None}, "executions.0.suite_text None; needed: text"),
}


@pytest.mark.parametrize("name", EXECUTIONS)
def test_an_execution_that_no_run_writes(name: str):
    values, words = EXECUTIONS[name]
    with pytest.raises(DamageError) as raised:
        check_about(ABOUT | {"executions": [values]}, READERS)
    assert words in str(raised.value)


def test_entries_that_are_unknown_are_left_alone():
    check_about(ABOUT | {"executions": [{"a later version's": 5}]}, READERS)
