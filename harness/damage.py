"""Whether a line of a run's records holds what the schema says."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from harness.case import ADDED
from harness.column import Column
from harness.errors import shown
from harness.limits import LARGEST_STORED
from harness.record import SCHEMA_VERSION, STATUSES, STORED, Row

Reader: TypeAlias = Callable[[Row], Row]
REQUIRED = tuple(
    column for column in STORED if column.kind != "measured" and column.name not in ("execution", "pending")
)
"""The columns that have stood in records from the first version on, but for those that later axes added."""
SIGNED = ("retained_bytes", "gradient_cosine_theta", "gradient_cosine_y0")
"""What can be negative."""
POSITIVE = ("dim", "batch", "steps", "observations", "threads", "seconds", "anchor_seconds")
"""What can't be 0."""
NAMES: Mapping[type, str] = {str: "text", int: "an integer", float: "a number"}


class DamageError(ValueError):
    """What is wrong, as the end of a sentence. `newer` where a newer version of the harness wrote it."""

    def __init__(self, problem: str, *, newer: bool = False) -> None:
        super().__init__(problem)
        self.newer = newer


def read_record(line: bytes, readers: Mapping[int, Reader]) -> Row:
    """The record in a line, as the current schema has it. `readers` are by the schema's version. Raises DamageError."""
    try:
        row = read_json(line)
    except (ValueError, RecursionError) as error:
        raise DamageError("isn't a record: it isn't JSON") from error
    if not isinstance(row, dict):
        raise DamageError(f"isn't a record: it is {shown(row)}")
    read = readers[version_of(row, readers)](row)
    for column in STORED:
        if column.name in read:
            _check(column, read[column.name])
        elif column in REQUIRED and column.name not in ADDED:
            raise DamageError(f"isn't a record: it has no {column.name}")
    unmeasured = {column.name: [] if column.several else None for column in STORED if column.kind == "measured"}
    return {**ADDED, **unmeasured, **read}


def read_json(text: bytes) -> Any:
    """The value of a text in UTF-8. Raises ValueError or RecursionError."""
    return json.loads(text.decode(), parse_constant=_refuse)


def _refuse(constant: str) -> float:
    """JSON has no NaN and no Infinity, which Python reads all the same."""
    raise ValueError(constant)


def version_of(data: Mapping[str, Any], readers: Mapping[int, Reader]) -> int:
    """The version of the schema. Raises DamageError where none of the readers is for it."""
    version = data.get("schema_version")
    if type(version) is int and version in readers:
        return version
    newer = type(version) is int and version > SCHEMA_VERSION
    known = ", ".join(map(str, readers))
    hint = "; a newer version of the harness reads it" if newer else ""
    raise DamageError(f"has schema {shown(version)}; this version reads {known}{hint}", newer=newer)


def _check(column: Column, value: object) -> None:
    """The type of a value, and its range. What wasn't measured, or isn't finite, is null."""
    values = [value]
    if column.several or (column.name == "observations" and isinstance(value, list)):
        if not isinstance(value, list):
            raise DamageError(f"isn't a record: its {column.name} is {shown(value)}; needed: a list")
        values = value
    kind = float if column.name == "observations" else column.type
    allowed = STATUSES if column.name == "status" else column.choices
    for one in values:
        null = one is None and column not in REQUIRED
        fault = None if null else _fault(column.name, one, kind, allowed)
        if fault is not None:
            raise DamageError(f"isn't a record: its {column.name} is {shown(value)}; {fault}")


def _fault(name: str, value: object, kind: type, allowed: Sequence[str]) -> str | None:
    """What a value of a column should be and isn't, or None."""
    if isinstance(value, str):
        if kind is not str or (allowed and value not in allowed):
            return f"allowed: {', '.join(allowed)}" if kind is str else f"needed: {NAMES[kind]}"
        whole = value.encode("utf-8", "replace").decode() == value
        return None if whole else "it holds half a character"
    if isinstance(value, bool) or not isinstance(value, int if kind is int else int | float) or kind is str:
        return f"needed: {NAMES[kind]}"
    if name not in SIGNED and (value < 0 or (value == 0 and name in POSITIVE)):
        return f"needed: {NAMES[kind]} {'above 0' if name in POSITIVE else 'from 0'}"
    largest = LARGEST_STORED if isinstance(value, int) else sys.float_info.max
    return None if abs(value) <= largest else f"needed: {NAMES[kind]} up to {largest:g}"
