"""Suites: what to measure, read from YAML and validated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    ValidationError,
)

from harness.errors import InputError, one_of

T = TypeVar("T")
Positive = Annotated[StrictInt, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
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
    dim: Values[Positive] = (10,)
    batch: Values[Positive] = (32,)
    steps: Values[Positive] = (128,)
    observations: Values[Positive] = (1,)
    dtype: Values[Literal["float32", "float64"]] = ("float32",)
    device: Values[Literal["cpu", "cuda"]] = ("cpu",)
    threads: Values[Positive] = (1,)
    brownian: Values[Literal["own", "tree", "shared"]] = ("own",)
    stepping: Values[Literal["fixed", "adaptive"]] = ("fixed",)
    rtol: Values[NotNegative] = (0.0,)
    atol: Values[NotNegative] = (1e-3,)


class Budget(_Strict):
    """How long and how much. Every bound is an upper one; one round is always measured."""

    rounds: Positive = 10
    """Rounds of paired timing."""
    seconds: Annotated[float, Field(gt=0)] = 20.0
    """Seconds of timing for a block."""
    precision: Annotated[float, Field(gt=0, lt=1)] = 0.02
    """Timing ends early once each median's 95% interval is this narrow, relative to the median, to either side."""
    timeout: Annotated[float, Field(gt=0)] = 120.0
    """Seconds that a child may take for any one answer: building, a sample, the memory run, one gradient."""
    memory: ByteSize = ByteSize(8 * 2**30)
    """Resident memory of a child, above which it is ended."""
    replicates: Positive = 1
    """Independent Brownian paths on which errors are measured."""
    reference_steps: Positive = 2**17
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
    where: dict[Literal[FACETS], StrictStr | StrictInt] = {}  # type: ignore[valid-type]
    """Only records whose axes have these values."""
    facet: Literal[FACETS] | None = None  # type: ignore[valid-type]


class Suite(_Strict):
    """A question and the measurements that answer it."""

    name: Annotated[StrictStr, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
    title: StrictStr
    seed: Annotated[StrictInt, Field(ge=0)] = 0
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


class _UniqueKeyLoader(yaml.SafeLoader):
    """Refuses a key that stands twice in a mapping, of which PyYAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_suite(path: Path) -> tuple[Suite, str]:
    """The suite in a file, and the file's text. Raises InputError in words for a person."""
    try:
        text = path.read_text(encoding="utf-8")
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
        data = yaml.load(text, Loader=_UniqueKeyLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}" if mark else ""
        raise InputError(path, place, f"isn't valid YAML: {getattr(error, 'problem', None) or error}") from error
    if not isinstance(data, dict):
        raise InputError(path, "", "isn't a suite", "a suite is a mapping with name, title and grid")
    try:
        suite = Suite.model_validate(data)
    except ValidationError as error:
        raise _explain(path, error) from error
    plugins = tuple(str(path.parent / p) if p.endswith(".py") else p for p in suite.plugins)
    return suite.model_copy(update={"plugins": plugins})


def _explain(path: Path, error: ValidationError) -> InputError:
    """The first mistake: file, key, what was given, what is allowed. An unknown key goes before one that is missing."""
    first = min(error.errors(), key=lambda mistake: mistake["type"] != "extra_forbidden")
    location = [part for part in first["loc"] if not (isinstance(part, str) and ("[" in part or "(" in part))]
    key = ".".join(str(part) for part in location)
    given = repr(first["input"])
    given = given if len(given) <= 60 else given[:57] + "..."
    if first["type"] == "extra_forbidden":
        model: Any = {"grid": Grid, "budget": Budget, "report": Figure}.get(str(location[0]), Suite)
        return InputError(path, key, "unknown key", one_of(model.model_fields, location[-1]))
    if first["type"] == "missing":
        return InputError(path, key, "is missing", "it has no default")
    if first["type"] == "literal_error":
        return InputError(path, key, f"{given} is not allowed", f"allowed: {first.get('ctx', {}).get('expected')}")
    if first["type"] == "too_short":
        return InputError(path, key, "is empty", "give at least one")
    return InputError(path, key, f"given {given}", first["msg"][0].lower() + first["msg"][1:])
