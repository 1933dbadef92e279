"""Records: what was measured of one case, one row."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.case import Case

SCHEMA_VERSION = 2
# History of the schema. 1: the first. 2: the columns `execution` and `host`; a case may have several records, of which
# the newest counts; an execution in run.json holds the resolved suite, its plugins' digests and the grid's.

STATUSES = ("ok", "unsupported", "failed", "timeout", "out-of-memory", "diverged", "unstable")
# `unstable`: the scheme's states outgrow the solution's at this step, whatever the method. `diverged`: not finite.


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Raw values, null where not measured; statistics are computed when they are read. Units stand in the names.

    A sample of `seconds` is the mean of `repeats` calls. `pairing` names one execution of a block: only samples with
    the same one were taken in turn, round by round. Errors are relative L2 norms, one a replicate.
    `host` is the name of the machine.
    """

    host: str | None = None
    compile_seconds: float | None = None
    first_call_seconds: float | None = None
    seconds: tuple[float, ...] = ()
    repeats: int | None = None
    pairing: str | None = None
    parameters: int | None = None
    cpu_ratio: float | None = None
    peak_bytes: int | None = None
    xla_temp_bytes: int | None = None
    retained_bytes: float | None = None
    gradient_error_theta: tuple[float, ...] = ()
    gradient_error_y0: tuple[float, ...] = ()
    gradient_cosine_theta: tuple[float, ...] = ()
    gradient_cosine_y0: tuple[float, ...] = ()
    adjoint_error_theta: tuple[float, ...] = ()
    adjoint_error_y0: tuple[float, ...] = ()
    loss_error: tuple[float, ...] = ()
    evaluations: tuple[float, ...] = ()
    gradient_variance: tuple[float, ...] = ()
    reference_error: float | None = None
    reference_error_theta: tuple[float, ...] = ()
    reference_error_y0: tuple[float, ...] = ()
    reference_error_loss: tuple[float, ...] = ()

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Measured:
        """What a record holds, as `Run.rows` gives it. What is null in a list wasn't finite."""
        values: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            value = row.get(field.name)
            if isinstance(value, list):
                value = tuple(math.inf if item is None else item for item in value)
            if value is not None:
                values[field.name] = value
        return cls(**values)

    def updated(self, newer: Measured) -> Measured:
        """With everything that `newer` holds in place of what was known before."""
        values: dict[str, Any] = {field.name: getattr(newer, field.name) for field in dataclasses.fields(newer)}
        return dataclasses.replace(self, **{name: value for name, value in values.items() if value not in (None, ())})


@dataclass(frozen=True, kw_only=True)
class Record:
    """A case with its outcome. `execution` says which entry of `executions` in run.json it was measured by, from 0."""

    run: str
    suite: str
    execution: int = 0
    case: Case
    status: str
    reason: str = ""
    measured: Measured = Measured()

    def to_json(self) -> str:
        """One line, flat, the columns in the order of `columns()`. What isn't finite becomes null."""
        row: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "run": self.run,
            "suite": self.suite,
            "execution": self.execution,
            "case": self.case.id,
            "block": self.case.block_id,
            "status": self.status,
            "reason": self.reason,
            "backend": self.case.backend,
            "approach": self.case.approach,
            **dataclasses.asdict(self.case),
            **dataclasses.asdict(self.measured),
        }
        return json.dumps({name: _finite(row[name]) for name in columns()}, allow_nan=False)


def columns() -> tuple[str, ...]:
    """The stored columns."""
    case = [field.name for field in dataclasses.fields(Case)]
    split = case.index("method") + 1
    return (
        *("schema_version", "run", "suite", "execution", "case", "block", "status", "reason"),
        *case[:split],
        *("backend", "approach"),
        *case[split:],
        *(field.name for field in dataclasses.fields(Measured)),
    )


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, tuple | list):
        return [_finite(item) for item in value]
    return value
