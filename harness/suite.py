"""Suites: what to measure, read from YAML and validated."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ByteSize, Field, StrictStr, ValidationError, create_model, model_validator

from harness.case import AXES
from harness.column import REQUIRED, Column
from harness.columns import COLUMNS
from harness.errors import InputError, one_of, shown
from harness.figure import KINDS, Figure
from harness.grammar import (
    Bytes,
    Count,
    Fraction,
    Name,
    Observations,
    Seconds,
    Seed,
    Strict,
    Title,
    Tolerance,
    Values,
    choice,
)
from harness.limits import LONGEST_NAME
from harness.models.source import names_model
from harness.strict_yaml import LONGEST_TEXT, YamlError, read_yaml

READERS: dict[str, object] = {"observations": Observations}
"""The axes that a suite may give in another form than one text or number."""


def _axis(column: Column) -> tuple[object, object]:
    """The type and the default of an axis, as a field of `Grid`."""
    if column.choices:
        value: Any = Annotated[str, choice(column.choices)]
    else:
        value = READERS.get(column.name) or {str: StrictStr, int: Count, float: Tolerance}[column.type]
    if column.default is None:
        return Values[value] | None, None
    return Values[value], column.default if column.default is REQUIRED else (column.default,)


_FIELDS: dict[str, Any] = {axis: _axis(COLUMNS[axis]) for axis in AXES}
_Axes: Any = create_model("_Axes", __base__=Strict, **_FIELDS)


class Grid(_Axes):
    """A product of axes, those that `Case` declares. Each is a scalar or a list."""

    @model_validator(mode="before")
    @classmethod
    def _without_noise(cls, data: object) -> object:
        """A model has its own noise, so that a product of models alone needs none."""
        if not isinstance(data, Mapping) or "noise" in data:
            return data
        problems = data.get("problem")
        given = problems if isinstance(problems, list | tuple) else [problems]
        all_models = all(isinstance(spec, str) and names_model(spec) for spec in given)
        return {**data, "noise": "none"} if given and all_models else data

    def models(self) -> list[str]:
        """The problems that are models of a user's own."""
        return [spec for spec in self.problem if names_model(spec)]


class Budget(Strict):
    """How long and how much. Every bound is an upper one; one round is always measured."""

    rounds: Count = 10
    """Rounds of paired timing."""
    seconds: Seconds = 20.0
    """Seconds of timing for a block after its first round."""
    precision: Fraction = 0.02
    """Timing ends early once each median's 95% interval is this narrow, relative to the median, to either side."""
    timeout: Seconds = 120.0
    """Seconds that a child may take for any one answer: building, a sample, the memory run, one gradient."""
    memory: Bytes = ByteSize(8 * 2**30)
    """Resident memory of a child, above which it is ended."""
    replicates: Count = 1
    """Independent Brownian paths on which errors are measured."""
    reference_steps: Count = 2**17
    """Steps of the finest grid that a reference may be refined to, where a problem has no closed form."""


MEASURES = ("time", "memory", "error", "adjoint_error")
Question = Literal["time", "memory", "error", "adjoint_error", "order", "growth", "speedup", "stability"]
"""What a suite can ask about."""


class Suite(Strict):
    """A question and the measurements that answer it."""

    name: Name
    title: Title
    question: Question | None = None
    """What the answer sorts by. None: what the tables, the first figure or else the first measure is about."""
    seed: Seed = 0
    grid: Annotated[tuple[Grid, ...], Field(min_length=1)]
    measure: Annotated[tuple[Annotated[str, choice(MEASURES)], ...], Field(min_length=1)] = ("time", "memory", "error")
    """`error` needs the reference, which takes most of the time; `adjoint_error` is its part that does without."""
    budget: Budget = Budget()
    report: tuple[Figure, ...] = ()
    tables: tuple[Literal["speedups", "orders", "exponents", "exactness"], ...] = ()
    plugins: tuple[StrictStr, ...] = ()


def read_suite(path: Path) -> tuple[Suite, str]:
    """The suite in a file, and the file's text. Raises InputError in words for a person."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LONGEST_TEXT + 1)  # one more than is allowed, which `read_yaml` refuses
    except UnicodeDecodeError as error:
        raise InputError(path, "", "isn't text in UTF-8") from error
    except OSError as error:
        reason = "is a folder" if path.is_dir() else error.strerror or "can't be read"
        raise InputError(
            path,
            "",
            f"{reason[0].lower()}{reason[1:]}",
            "give the path of a suite's YAML file, or a name of `harness list suites`",
        ) from error
    return parse_suite(text, path), text


def parse_suite(text: str, path: Path) -> Suite:
    """The suite in a text; `path` is for messages and for plugin files, which are relative to it."""
    try:
        data = read_yaml(text)
    except YamlError as error:
        raise InputError(path, "" if error.line is None else f"line {error.line}", error.problem) from error
    return make_suite(data, path)


def make_suite(data: object, path: Path) -> Suite:
    """The suite that a mapping describes, all defaults filled in; `path` as in `parse_suite`. Raises InputError."""
    if not isinstance(data, Mapping):
        given = "is empty" if data is None else f"is {'a list' if isinstance(data, list) else shown(data)}"
        raise InputError(path, "", f"{given}, not a suite", "a suite is a mapping with name, title and grid")
    try:
        suite = Suite.model_validate(dict(data))
    except ValidationError as error:
        raise _explain(path, data, error) from error
    plugins = tuple(os.path.abspath(path.parent / p) if p.endswith(".py") else p for p in suite.plugins)
    return suite.model_copy(update={"plugins": plugins})


_TEXT = "text, in quotes where YAML reads it as a number, a date or a boolean"
ALLOWED = {
    "string_type": _TEXT,
    "string_pattern_mismatch": "letters, digits, - and _, the first of them a letter or a digit",
    "string_too_long": f"at most {LONGEST_NAME} characters",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
"""What is allowed, in words, for pydantic's kinds of mistakes."""


def _explain(path: Path, data: object, error: ValidationError) -> InputError:
    """The first mistake: file, key, what was given, what is allowed. An unknown key goes before one that is missing."""
    first = min(error.errors(include_url=False), key=lambda mistake: mistake["type"] != "extra_forbidden")
    location, kind, given = _entries(data, first["loc"]), first["type"], shown(first["input"])
    if kind == "missing":
        location.append(str(first["loc"][-1]))
    key = ".".join(location)
    if kind == "extra_forbidden" and location[0] == "report" and location[1:]:
        figure = str(first["loc"][2])
        return InputError(path, key, f"{figure} has no such option", one_of(KINDS[figure].model_fields, location[-1]))
    if kind == "extra_forbidden":
        models: dict[str, type[Strict]] = {"grid": Grid, "budget": Budget}
        model = models[location[0]] if location[1:] else Suite
        return InputError(path, key, "unknown key", one_of(model.model_fields, location[-1]))
    if kind == "union_tag_invalid":
        return InputError(path, f"{key}.figure", f"given {shown(first['input']['figure'])}", one_of(KINDS))
    if kind == "union_tag_not_found":
        return InputError(path, f"{key}.figure", "is missing", one_of(KINDS))
    if kind == "missing":
        return InputError(path, key, "is missing", "it has no default")
    if kind == "literal_error":
        return InputError(path, key, f"{given} is not allowed", f"allowed: {first.get('ctx', {}).get('expected')}")
    if kind == "too_short":
        return InputError(path, key, "is empty", "give at least one")
    what = "is empty" if first["input"] is None else f"given {given}"
    allowed = first["msg"] if kind == "not_allowed" else ALLOWED.get(kind)
    if allowed is not None:
        return InputError(path, key, what, f"allowed: {allowed}")
    return InputError(path, key, what, first["msg"][0].lower() + first["msg"][1:])


def _entries(data: object, location: tuple[int | str, ...]) -> list[str]:
    """The parts of a location that are keys and indices of the data. pydantic adds names of its own types."""
    found: list[str] = []
    for part in location:
        members = _members(data)
        if part in members:
            found.append(str(part))
            data = members[part]
    return found


def _members(data: object) -> Mapping[object, object]:
    """The entries of a mapping by their keys, those of a list by their indices; of anything else none."""
    if isinstance(data, list):
        return dict(enumerate(data))
    return data if isinstance(data, Mapping) else {}
