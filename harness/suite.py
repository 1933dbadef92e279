"""Suites: what to measure, read from YAML and validated."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    StrictStr,
    ValidationError,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from harness.errors import InputError, one_of, shown
from harness.limits import (
    LARGEST_COUNT,
    LARGEST_MEMORY,
    LARGEST_SECONDS,
    LARGEST_SEED,
    LARGEST_TOLERANCE,
    LONGEST_NAME,
    MOST_TIMES,
    SMALLEST_MEMORY,
)
from harness.strict_yaml import LONGEST_TEXT, YamlError, read_yaml

T = TypeVar("T")


def _refused(allowed: str) -> PydanticCustomError:
    """The error of a value outside of its range. `_explain` makes a line of it."""
    return PydanticCustomError("not_allowed", "{allowed}", {"allowed": allowed})


def _integer(low: int, high: int) -> BeforeValidator:
    """An integer from `low` to `high`; no boolean, and no text that holds one."""

    def check(value: object) -> int:
        if type(value) is not int or not low <= value <= high:
            raise _refused(f"an integer from {low} to {high}")
        return value

    return BeforeValidator(check)


def _number(low: float, high: float, *, open_ends: bool = False) -> BeforeValidator:
    """A finite number from `low` to `high`, without these two where `open_ends`. YAML 1.1 reads 1e-3 as text."""
    allowed = f"a number above {low:g} and below {high:g}" if open_ends else f"a number from {low:g} to {high:g}"

    def check(value: object) -> float:
        number = math.nan
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            with contextlib.suppress(ValueError, OverflowError):
                number = float(value)
        if not (low < number < high if open_ends else low <= number <= high):
            raise _refused(allowed)
        return number

    return BeforeValidator(check)


def _observations(value: object) -> int | tuple[float, ...]:
    """A number of observations, or their times."""
    if type(value) is int and 1 <= value <= LARGEST_COUNT:
        return value
    if isinstance(value, list | tuple) and 1 <= len(value) <= MOST_TIMES:
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            times = tuple(math.nan if isinstance(time, bool) else float(time) for time in value)
            if all(map(math.isfinite, times)) and all(a < b for a, b in itertools.pairwise(times)):
                return times
    raise _refused(
        f"an integer from 1 to {LARGEST_COUNT}, or a list of at most {MOST_TIMES} increasing times within the list of"
        " values, such as [[0.1, 0.5, 1]]"
    )


def _text_or_count(value: object) -> str | int:
    """What an axis of a record may hold. One validator, so that a mistake has one message."""
    if isinstance(value, str) or (type(value) is int and 1 <= value <= LARGEST_COUNT):
        return value
    raise _refused(f"text or an integer from 1 to {LARGEST_COUNT}")


def _bytes(value: object, read: Any) -> ByteSize:
    """A number of bytes, or text with a unit. pydantic lets booleans, negative numbers and 1e999GB through."""
    try:
        found = ByteSize(-1) if isinstance(value, bool) else read(value)
    except (ValueError, OverflowError):
        found = ByteSize(-1)
    if not SMALLEST_MEMORY <= found <= LARGEST_MEMORY:
        raise _refused("a size from 1MiB to 1EiB with its unit, such as 8GiB")
    return found


def _one_line(text: str) -> str:
    """A title is printed and is a heading. YAML's folded text ends in a line break."""
    if not text.split():
        raise _refused("a line of text")
    return " ".join(text.split())


def _not_index(name: str) -> str:
    """`report/index.html` lists the pages."""
    if name.lower() == "index":
        raise _refused("any name but index, which is the list of all pages")
    return name


Count = Annotated[int, _integer(1, LARGEST_COUNT)]
Observations = Annotated[int | tuple[float, ...], BeforeValidator(_observations)]
Seed = Annotated[int, _integer(0, LARGEST_SEED)]
Seconds = Annotated[float, _number(0, LARGEST_SECONDS, open_ends=True)]
Tolerance = Annotated[float, _number(0, LARGEST_TOLERANCE)]
Fraction = Annotated[float, _number(0, 1, open_ends=True)]
WhereValue = Annotated[str | int, BeforeValidator(_text_or_count)]
Bytes = Annotated[ByteSize, WrapValidator(_bytes)]
Title = Annotated[StrictStr, AfterValidator(_one_line)]
Name = Annotated[
    StrictStr,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=LONGEST_NAME),
    AfterValidator(_not_index),
]
Values = Annotated[
    tuple[T, ...],
    BeforeValidator(lambda value: value if isinstance(value, list | tuple) else (value,)),
    Field(min_length=1),
]
"""A scalar or a list of at least one."""


class _Strict(BaseModel):
    """Unknown keys are refused; values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Grid(_Strict):
    """A product of axes. Each is a scalar or a list; the defaults are those of the class."""

    problem: Values[StrictStr]
    noise: Values[Literal["none", "additive", "scalar", "diagonal", "general"]]
    calculus: Values[Literal["ito", "stratonovich"]] = ("stratonovich",)
    scheme: Values[StrictStr] | None = None
    method: Values[StrictStr]
    dim: Values[Count] = (10,)
    batch: Values[Count] = (32,)
    steps: Values[Count] = (128,)
    observations: Values[Observations] = (1,)
    dtype: Values[Literal["float32", "float64"]] = ("float32",)
    device: Values[Literal["cpu", "cuda"]] = ("cpu",)
    threads: Values[Count] = (1,)
    brownian: Values[Literal["own", "tree", "shared"]] = ("own",)
    stepping: Values[Literal["fixed", "adaptive"]] = ("fixed",)
    rtol: Values[Tolerance] = (0.0,)
    atol: Values[Tolerance] = (1e-3,)


class Budget(_Strict):
    """How long and how much. Every bound is an upper one; one round is always measured."""

    rounds: Count = 10
    """Rounds of paired timing."""
    seconds: Seconds = 20.0
    """Seconds of timing for a block."""
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
FIGURE_X = (
    "steps",
    "atol",
    "evaluations_median",
    "dim",
    "batch",
    "observations",
    "noise",
    "method",
    "seconds_median",
    "peak_bytes",
)
FIGURE_Y = (
    "seconds_median",
    "floor_ratio",
    "peak_bytes",
    "gradient_error_theta_median",
    "gradient_error_y0_median",
    "adjoint_error_theta_median",
    "adjoint_error_y0_median",
    "loss_error_median",
)
FACETS = (
    "noise",
    "calculus",
    "scheme",
    "problem",
    "dim",
    "batch",
    "steps",
    "dtype",
    "brownian",
    "stepping",
    "method",
    "backend",
    "approach",
)


class Figure(_Strict):
    """A figure of the report: `scaling` draws y over x, both logarithmic, a line a method; `points` a row a method,
    `box` a box of the replicates, of what y is the median of, at each x; `speedups` the paired ratios of native methods
    to the libraries', whatever x and y."""

    figure: Literal["scaling", "points", "box", "speedups"]
    x: Literal[FIGURE_X] = "steps"  # type: ignore[valid-type]
    y: Literal[FIGURE_Y] = "seconds_median"  # type: ignore[valid-type]
    color: Literal["method", "approach", "backend", "scheme"] = "method"
    where: dict[Literal[FACETS], WhereValue] = {}  # type: ignore[valid-type]
    """Only records whose axes have these values."""
    facet: Literal[FACETS] | None = None  # type: ignore[valid-type]


class Suite(_Strict):
    """A question and the measurements that answer it."""

    name: Name
    title: Title
    seed: Seed = 0
    grid: Annotated[tuple[Grid, ...], Field(min_length=1)]
    measure: Annotated[tuple[Literal[MEASURES], ...], Field(min_length=1)] = (  # type: ignore[valid-type]
        "time",
        "memory",
        "error",
    )
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
            path, "", f"{reason[0].lower()}{reason[1:]}", "give the path of a suite's YAML file"
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
        raise InputError(path, "", "isn't a suite", "a suite is a mapping with name, title and grid")
    try:
        suite = Suite.model_validate(dict(data))
    except ValidationError as error:
        raise _explain(path, data, error) from error
    plugins = tuple(os.path.abspath(path.parent / p) if p.endswith(".py") else p for p in suite.plugins)
    return suite.model_copy(update={"plugins": plugins})


def _explain(path: Path, data: Any, error: ValidationError) -> InputError:
    """The first mistake: file, key, what was given, what is allowed. An unknown key goes before one that is missing."""
    first = min(error.errors(include_url=False), key=lambda mistake: mistake["type"] != "extra_forbidden")
    location, kind, given = _entries(data, first["loc"]), first["type"], shown(first["input"])
    if kind == "missing":
        location.append(str(first["loc"][-1]))
    key = ".".join(location)
    if kind == "extra_forbidden":
        model: Any = {"grid": Grid, "budget": Budget, "report": Figure}.get(location[0]) if location[1:] else Suite
        return InputError(path, key, "unknown key", one_of(model.model_fields, location[-1]))
    if kind == "missing":
        return InputError(path, key, "is missing", "it has no default")
    if kind == "literal_error":
        return InputError(path, key, f"{given} is not allowed", f"allowed: {first.get('ctx', {}).get('expected')}")
    if kind == "too_short":
        return InputError(path, key, "is empty", "give at least one")
    if kind == "not_allowed":
        return InputError(path, key, f"given {given}", f"allowed: {first['msg']}")
    return InputError(path, key, f"given {given}", first["msg"][0].lower() + first["msg"][1:])


def _entries(data: Any, location: tuple[int | str, ...]) -> list[str]:
    """The parts of a location that are keys and indices of the data. pydantic adds names of its own types."""
    found: list[str] = []
    for part in location:
        inside: dict[Any, Any] = dict(enumerate(data)) if isinstance(data, list) else data
        if isinstance(inside, dict) and part in inside:
            found.append(str(part))
            data = inside[part]
    return found
