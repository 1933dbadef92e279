"""Whether a line of a run's records, or its run.json, holds what the schema says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from harness.column import Column
from harness.errors import shown
from harness.record import SCHEMA_VERSION, STATUSES, STORED, Row

Reader: TypeAlias = Callable[[Row], Row]
REQUIRED = tuple(
    column for column in STORED if column.kind != "measured" and column.name not in ("execution", "pending")
)
"""The columns that have stood in records from the first version on, but for those that later axes added."""
WITH_DEFAULTS = ("stepping", "rtol", "atol")
"""Axes that the first records lacked."""
EXECUTION: Mapping[str, type] = {
    "suite": dict,
    "suite_text": str,
    "plugins": dict,
    "backends": dict,
    "packages": dict,
    "models": dict,
    "processor": str,
    "time": str,
    "only": list,
    "arguments": list,
}
"""Entries of an execution that are read again, where it has them."""
NAMES: Mapping[type, str] = {str: "text", int: "an integer", float: "a number", dict: "a mapping", list: "a list"}


class DamageError(ValueError):
    """What is wrong, as the end of a sentence. `newer` where a newer version of the harness wrote it."""

    def __init__(self, problem: str, *, newer: bool = False) -> None:
        super().__init__(problem)
        self.newer = newer


def read_record(line: bytes, readers: Mapping[int, Reader]) -> Row:
    """The record in a line, as the current schema has it. `readers` are by the schema's version. Raises DamageError."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DamageError("isn't a record: it isn't JSON") from error
    if not isinstance(row, dict):
        raise DamageError(f"isn't a record: it is {shown(row)}")
    read = readers[_version(row, readers)](row)
    for column in STORED:
        if column.name in read:
            _check(column, read[column.name])
        elif column in REQUIRED and column.name not in WITH_DEFAULTS:
            raise DamageError(f"isn't a record: it has no {column.name}")
    if read["status"] not in STATUSES:
        raise DamageError(f"isn't a record: its status is {shown(read['status'])}; allowed: {', '.join(STATUSES)}")
    return read


def check_about(about: object, readers: Mapping[int, Reader]) -> None:
    """Raises DamageError where this isn't what a run.json holds."""
    if not isinstance(about, dict):
        raise DamageError(f"is {shown(about)}; needed: a mapping")
    _version(about, readers)
    if not isinstance(about.get("suite"), str):
        raise DamageError(f"has the suite {shown(about.get('suite'))}; needed: its name")
    executions = about.get("executions")
    if not isinstance(executions, list) or not executions:
        raise DamageError(f"has executions {shown(executions)}; needed: a list of at least one")
    for number, execution in enumerate(executions):
        if not isinstance(execution, dict):
            raise DamageError(f"has executions.{number} {shown(execution)}; needed: a mapping")
        for key, kind in EXECUTION.items():
            if key in execution and not isinstance(execution[key], kind):
                raise DamageError(f"has executions.{number}.{key} {shown(execution[key])}; needed: {NAMES[kind]}")


def _version(data: Mapping[str, Any], readers: Mapping[int, Reader]) -> int:
    version = data.get("schema_version")
    if type(version) is int and version in readers:
        return version
    newer = type(version) is int and version > SCHEMA_VERSION
    known = ", ".join(map(str, readers))
    hint = "; a newer version of the harness reads it" if newer else ""
    raise DamageError(f"has schema {shown(version)}; this version reads {known}{hint}", newer=newer)


def _check(column: Column, value: object) -> None:
    """The type of a value. What wasn't measured, or isn't finite, is null."""
    values = [value]
    if column.several or (column.name == "observations" and isinstance(value, list)):
        if not isinstance(value, list):
            raise DamageError(f"isn't a record: its {column.name} is {shown(value)}; needed: a list")
        values = value
    kind = float if column.name == "observations" else column.type
    for one in values:
        null = one is None and column not in REQUIRED
        if not null and not _is(one, kind):
            raise DamageError(f"isn't a record: its {column.name} is {shown(value)}; needed: {NAMES[kind]}")


def _is(value: object, kind: type) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) if kind is float else isinstance(value, kind)
