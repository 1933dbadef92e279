"""All columns of a DataFrame of records, and what the suite's grammar, the figures and the tables take from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from harness.column import Column, Role, computed, statistics
from harness.record import STORED

RATIOS = tuple(
    dataclasses.replace(ratio, interval=True)
    for ratio in (
        computed(
            "floor_ratio",
            "time divided by that of the backend's floor with the same scheme: the median of the ratios round by round",
            of="seconds",
            label="time over floor",
            heading="over floor",
            format="ratio",
            roles=("y",),
        ),
        computed(
            "forward_ratio",
            "time divided by that of the native forward solve in the same framework, with the same scheme and without a"
            " gradient, round by round: the price of the gradient",
            of="seconds",
            label="time over the forward solve",
            heading="over forward",
            format="ratio",
            roles=("y",),
        ),
    )
)
"""What is computed from several records, with its interval. `harness/frames.py` has a function for each."""


def ends_of(ratio: Column) -> tuple[Column, Column]:
    """The ends of a ratio's 95% interval."""
    low, high = (
        computed(
            f"{ratio.name}_{end}", f"the {end} end of the median's 95% bootstrap interval", of=ratio.of, format="ratio"
        )
        for end in ("low", "high")
    )
    return low, high


FACTS = computed(
    "backend_facts",
    "what a report needs to know about the backend: floor, forward solve, comparable methods and style, as a"
    " `harness.backend_facts.BackendFacts`",
    of="backend",
    type=object,
)


MACHINE = computed(
    "machine",
    "the machine that measured the case, with the versions on it. Its name is the processor, or what distinguishes"
    " several machines",
    of="host",
    type=str,
    roles=("facet",),
)
"""What keeps the records of several machines apart. `harness/machines.py` names them."""


def _all() -> Iterator[Column]:
    """Each stored column, then what is computed from it."""
    for column in STORED:
        yield column
        yield from statistics(column)
        ratios = [found for ratio in RATIOS for found in (ratio, *ends_of(ratio))]
        yield from (found for found in (FACTS, MACHINE, *ratios) if found.of == column.name)


COLUMNS: dict[str, Column] = {column.name: column for column in _all()}
"""By name."""
COMPUTED = tuple(name for name, column in COLUMNS.items() if column.kind == "computed")
MEASURED_LISTS = tuple(column for column in STORED if column.kind == "measured" and column.several)


def with_role(role: Role) -> tuple[str, ...]:
    """The columns that can be this in a figure. A list can not; its median can."""
    return tuple(name for name, column in COLUMNS.items() if role in column.roles and not column.several)


def interval_of(column: str) -> tuple[str, str] | None:
    """The columns that bound the 95% interval of a median or of a ratio, None where it has none."""
    if COLUMNS[column] in RATIOS:
        return f"{column}_low", f"{column}_high"
    parent = COLUMNS.get(COLUMNS[column].of)
    if parent is None or not parent.interval or column != f"{parent.name}_median":
        return None
    return f"{parent.name}_low", f"{parent.name}_high"


def samples_of(column: str) -> str | None:
    """The list that a column is the median of, None where it isn't one."""
    parent = COLUMNS[column].of
    return parent if column == f"{parent}_median" else None


def error_of(column: str) -> str | None:
    """The error that a column is the median of, where the reference's bar may leave it unresolved."""
    parent = samples_of(column)
    return parent if parent and COLUMNS[parent].bar else None


def bar_of(error: str) -> str:
    """The column of the reference's own bar for an error against it."""
    return f"{COLUMNS[error].bar}_median"
