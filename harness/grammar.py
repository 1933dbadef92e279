"""The values that a suite's keys take, as types for pydantic. Each refuses what it can't take in one line."""

from __future__ import annotations

import contextlib
import itertools
import math
import re
from collections.abc import Sequence
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    StrictStr,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

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

T = TypeVar("T")


def _refused(allowed: str) -> PydanticCustomError:
    """The error of a value that is not allowed. `harness/suite.py` makes a line of it."""
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


def choice(names: Sequence[str]) -> BeforeValidator:
    """One of these names."""

    def check(value: object) -> str:
        if not isinstance(value, str) or value not in names:
            raise _refused(", ".join(names))
        return value

    return BeforeValidator(check)


def _text_or_count(value: object) -> str | int:
    """What an axis of a record may hold. One validator, so that a mistake has one message."""
    if isinstance(value, str) or (type(value) is int and 1 <= value <= LARGEST_COUNT):
        return value
    raise _refused(f"text or an integer from 1 to {LARGEST_COUNT}")


def _bytes(value: object, read: ValidatorFunctionWrapHandler) -> ByteSize:
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


def as_name(text: str) -> str:
    """The text in the characters that a suite's name may have, as `Name` says."""
    name = re.sub(r"[^A-Za-z0-9_-]", "-", text).lstrip("-_")[:LONGEST_NAME]
    return "model" if name.lower() in ("", "index") else name


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


class Strict(BaseModel):
    """Unknown keys are refused; values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)
