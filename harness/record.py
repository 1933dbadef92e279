"""Records: what was measured of one case, one row."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from harness.case import FIELDS, PARTS, Case
from harness.column import Column, declared, identity, measured
from harness.measuring.waiting import DISTURBED

Row: TypeAlias = Mapping[str, Any]
"""A record as it is read: each column's value by its name, of the type that the column declares."""
Value: TypeAlias = "str | float | Sequence[Value] | None"
"""What a record may hold in a column, a boolean among the numbers."""
SCHEMA_VERSION = 5
# History of the schema. 1: the first. 2: the columns `execution` and `host`; a case may have several records, of which
# the newest counts; an execution in run.json holds the resolved suite, its plugins' digests and the grid's. 3: the
# columns `pending` and `anchor_seconds`; a record may be completed by a later one of the same case. 4: the columns
# `waits` and `calibration_seconds`. 5: the axis `matmul`.

STATUSES = ("ok", "unsupported", "failed", "timeout", "out-of-memory", "diverged", "unstable")
# `unstable`: the scheme's states outgrow the solution's at this step, whatever the method. `diverged`: not finite.


def _error(label: str, against: str, bar: str = "") -> Column:
    return measured(
        f"{label}: the relative L2 error {against}, one per replicate",
        unit="relative",
        label=label,
        heading=label.replace(" of ", " "),
        format="error",
        roles=("y",),
        interval=True,
        bar=bar,
    )


def _cosine(of: str) -> Column:
    return measured(
        f"cosine of the angle to the continuous-time gradient of {of}, which matters to an optimiser that normalises"
        " the gradient; one per replicate",
        label=f"gradient cosine of {of}",
        heading=f"cosine {of}",
        format="cosine",
        interval=True,
    )


def _bar(of: str) -> Column:
    return measured(f"the reference's own error bar for {of}, one per replicate", unit="relative", format="error")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Raw values, null where not measured; statistics are computed when they are read. Units stand in the names.

    Each column is declared here, and everything that lists columns follows. Errors are relative L2 norms.
    """

    host: Annotated[
        str | None,
        measured("the name of the machine that measured the case; the last one, if a resumed run measured more of it"),
    ] = None
    compile_seconds: Annotated[
        float | None,
        measured(
            "the time to build the callable: tensors, tracing, compilation; null if only errors are measured",
            unit="seconds",
            heading="build",
            format="seconds",
        ),
    ] = None
    first_call_seconds: Annotated[
        float | None,
        measured(
            "the time of the first call; null if only errors are measured",
            unit="seconds",
            heading="first call",
            format="seconds",
        ),
    ] = None
    seconds: Annotated[
        tuple[float, ...],
        measured(
            "raw samples of the time of one forward solve with its gradient, one per round, in order",
            unit="seconds",
            label="time of forward and gradient",
            heading="time",
            format="seconds",
            roles=("x", "y"),
            interval=True,
            ends=("low", "high"),
        ),
    ] = ()
    waits: Annotated[
        tuple[float, ...],
        measured(
            "for each sample, the fraction of its time in which the process was ready to run but had no core, because"
            f" other programs used it. A sample with more than {DISTURBED} counts as disturbed",
            unit="relative",
        ),
    ] = ()
    calibration_seconds: Annotated[
        tuple[float, ...],
        measured(
            "the time of a fixed calculation directly before and directly after the rounds, which shows by how much the"
            " machine itself became faster or slower",
            unit="seconds",
        ),
    ] = ()
    repeats: Annotated[int | None, measured("calls per sample; a value of `seconds` is their mean")] = None
    pairing: Annotated[
        str | None,
        measured(
            "the id of one execution of a block: records with the same id were timed in turn, round by round, so their"
            " samples can be compared round by round"
        ),
    ] = None
    anchor_seconds: Annotated[
        tuple[float, ...],
        measured(
            "only if a block was timed in several groups: the samples of the anchor, the case that is timed in every"
            " group, from the same rounds as `seconds`. Cases of different groups are compared by their ratios to it",
            unit="seconds",
        ),
    ] = ()
    parameters: Annotated[int | None, measured("the number of entries of θ")] = None
    cpu_ratio: Annotated[
        float | None,
        measured(
            "CPU time divided by wall time of the timed calls: the number of cores actually used",
            heading="CPU / wall",
            format="ratio",
        ),
    ] = None
    peak_bytes: Annotated[
        int | None,
        measured(
            "the most memory that one call had allocated at once",
            unit="bytes",
            label="peak memory",
            heading="peak memory",
            format="bytes",
            roles=("x", "y"),
        ),
    ] = None
    xla_temp_bytes: Annotated[
        int | None,
        measured(
            "XLA's own count of its temporary memory, a check on `peak_bytes`; JAX only",
            unit="bytes",
            heading="XLA temporary",
            format="bytes",
        ),
    ] = None
    retained_bytes: Annotated[
        float | None,
        measured(
            "memory that stays allocated after a gradient, per gradient: near 0 unless the method leaks. Noise can make"
            " it negative. Null if a call takes more than 5 s or the C library can't count",
            unit="bytes",
            heading="kept per gradient",
            format="bytes",
        ),
    ] = None
    gradient_error_theta: Annotated[
        tuple[float, ...],
        _error("gradient error of θ", "against the continuous reference", bar="reference_error_theta"),
    ] = ()
    gradient_error_y0: Annotated[
        tuple[float, ...],
        _error("gradient error of y0", "against the continuous reference", bar="reference_error_y0"),
    ] = ()
    gradient_cosine_theta: Annotated[tuple[float, ...], _cosine("θ")] = ()
    gradient_cosine_y0: Annotated[tuple[float, ...], _cosine("y0")] = ()
    adjoint_error_theta: Annotated[
        tuple[float, ...],
        _error("adjoint error of θ", "against the discrete reference"),
    ] = ()
    adjoint_error_y0: Annotated[
        tuple[float, ...],
        _error("adjoint error of y0", "against the discrete reference"),
    ] = ()
    loss_error: Annotated[
        tuple[float, ...],
        _error("loss error", "against the continuous reference", bar="reference_error_loss"),
    ] = ()
    evaluations: Annotated[
        tuple[float, ...],
        measured(
            "evaluations of f for that gradient, forwards and backwards, if the method reports them; one per replicate",
            label="evaluations of f",
            roles=("x",),
        ),
    ] = ()
    gradient_variance: Annotated[
        tuple[float, ...],
        measured("for a random estimator: its variance, averaged over the coordinates; one per replicate"),
    ] = ()
    reference_error: Annotated[
        float | None,
        measured(
            "the larger of the reference's error bars for θ and y0; the median over the replicates",
            unit="relative",
            heading="reference bar",
            format="error",
        ),
    ] = None
    reference_error_theta: Annotated[tuple[float, ...], _bar("θ")] = ()
    reference_error_y0: Annotated[tuple[float, ...], _bar("y0")] = ()
    reference_error_loss: Annotated[tuple[float, ...], _bar("the loss")] = ()

    @classmethod
    def of(cls, row: Row) -> Measured:
        """What a record holds, as `Run.rows` gives it. What is null in a list wasn't finite."""
        values: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            value: Value = row.get(field.name)
            if isinstance(value, list):
                value = tuple(math.inf if item is None else item for item in value)
            if value is not None:
                values[field.name] = value
        return cls(**values)

    def updated(self, newer: Measured) -> Measured:
        """With everything that `newer` holds in place of what was known before."""
        values = {field.name: getattr(newer, field.name) for field in dataclasses.fields(newer)}
        known = {name: value for name, value in values.items() if value not in (None, ())}
        if newer.seconds:  # these are of the same rounds
            known["anchor_seconds"] = newer.anchor_seconds
        return dataclasses.replace(self, **known)


@dataclass(frozen=True, kw_only=True)
class Record:
    """A case with its outcome. `execution` says which entry of `executions` in run.json it was measured by, from 0."""

    run: str
    suite: str
    execution: int = 0
    case: Case
    status: str
    reason: str = ""
    pending: tuple[str, ...] = ()
    measured: Measured = Measured()

    def to_json(self) -> str:
        """One line, flat, the columns in the order of `STORED`. What isn't finite becomes null."""
        row: dict[str, Value] = {
            **{column.name: value(self) for column, value in IDENTITY.items()},
            **{column.name: getattr(self.case, column.name) for column in PARTS},
            **dataclasses.asdict(self.case),
            **dataclasses.asdict(self.measured),
        }
        return json.dumps({name: _finite(row[name]) for name in columns()}, allow_nan=False)


IDENTITY: dict[Column, Callable[[Record], Value]] = {
    identity("the version of the schema", name="schema_version", type=int): lambda _: SCHEMA_VERSION,
    identity("the run, which is also the name of its folder", name="run"): lambda record: record.run,
    identity("the name of the suite", name="suite"): lambda record: record.suite,
    identity(
        "which entry of `executions` in `run.json` wrote the record, counted from 0", name="execution", type=int
    ): (lambda record: record.execution),
    identity("the id of the case: a digest of its axes and its seed, the same on every machine", name="case"): (
        lambda record: record.case.id
    ),
    identity(
        "the id of the block: a digest of the seed and all axes but method and scheme. The cases of a block are timed"
        " in turn",
        name="block",
    ): lambda record: record.case.block_id,
    identity(f"the outcome of the case: {', '.join(STATUSES)}", name="status", heading="status"): lambda record: (
        record.status
    ),
    identity("why the status isn't `ok`; for an `ok` case, what to know about its numbers", name="reason"): (
        lambda record: record.reason
    ),
    identity(
        "the measures that are still missing because the record was written while its block was measured; a later"
        " record of the case has them",
        name="pending",
        several=True,
    ): lambda record: record.pending,
}
"""What names a record besides its case, and how it is read from the record."""


def _stored() -> tuple[Column, ...]:
    """`backend` and `approach` stand after `method`, of which they are the parts."""
    split = [column.name for column in FIELDS].index("method") + 1
    return (*IDENTITY, *FIELDS[:split], *PARTS, *FIELDS[split:], *declared(Measured))


STORED = _stored()
"""The stored columns, in the order of the file."""


def columns() -> tuple[str, ...]:
    """Their names."""
    return tuple(column.name for column in STORED)


def _finite(value: Value) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, tuple | list):
        return [_finite(item) for item in value]
    return value
