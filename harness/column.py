"""A column of the records: all that is said of it, declared once, beside the field that holds it."""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass
from typing import Literal

Kind = Literal["identity", "axis", "measured", "computed"]
"""`identity`: names the record. `axis`: set by a suite. `measured`: stored. `computed`: made when records are read."""
Format = Literal["text", "seconds", "bytes", "error", "decimal", "cosine", "ratio"]
"""How a value is written for people. `harness/report/format.py` has the functions."""
Role = Literal["x", "y", "facet", "color"]
"""What a column can be in a figure."""
UNRESOLVED = 3.0
"""An error within so many times its reference's bar is not resolved."""
REQUIRED: object = ...
"""The default of an axis that every suite must give."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column.

    `label` names it in figures, `heading` in the table of records: "" leaves it out of that table, None stands for the
    name. `roles` say what it can be in a figure; those of a list are those of its median.

    For axes: `default` is what a suite that leaves it out gets, `default_words` the same in words, `choices` the
    allowed values; `how` says that it is about how a case is computed, not about what.

    For lists: `interval` says that the median has a 95% interval, `ends` are the headings of the interval's ends, and
    `bar` names the column of the reference's own error. `of` names the column that a column is computed from.

    `name`, `type` and `several` (whether it is a list of that type) are read from the field by `declared`.
    """

    meaning: str
    kind: Kind
    name: str = ""
    type: type = str
    several: bool = False
    unit: str = ""
    label: str = ""
    heading: str | None = ""
    format: Format = "text"
    roles: tuple[Role, ...] = ()
    default: object = REQUIRED
    default_words: str = ""
    choices: tuple[str, ...] = ()
    how: bool = False
    interval: bool = False
    ends: tuple[str, str] = ("", "")
    bar: str = ""
    of: str = ""

    @property
    def numeric(self) -> bool:
        """Whether a value is one number."""
        return self.type in (int, float) and not self.several

    @property
    def axis_label(self) -> str:
        """The label with its unit, for the axis of a figure."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def axis(
    meaning: str,
    *,
    default: object = REQUIRED,
    default_words: str = "",
    choices: tuple[str, ...] = (),
    how: bool = False,
    unit: str = "",
    label: str = "",
    heading: str | None = None,
    roles: tuple[Role, ...] = ("facet",),
) -> Column:
    """An axis of a suite's grid. Without a `heading` it has its name; with "" it is a column of the table of records
    only where the records differ in it."""
    return Column(
        meaning=meaning,
        kind="axis",
        default=default,
        default_words=default_words,
        choices=choices,
        how=how,
        unit=unit,
        label=label,
        heading=heading,
        roles=roles,
    )


def identity(
    meaning: str,
    *,
    name: str = "",
    type: type = str,
    several: bool = False,
    heading: str = "",
    roles: tuple[Role, ...] = (),
) -> Column:
    """What names a record. It has a `name` here where no field of that name holds it."""
    column = Column(meaning=meaning, kind="identity", type=type, several=several, heading=heading, roles=roles)
    return _named(column, name) if name else column


def measured(
    meaning: str,
    *,
    unit: str = "",
    label: str = "",
    heading: str = "",
    format: Format = "text",
    roles: tuple[Role, ...] = (),
    interval: bool = False,
    ends: tuple[str, str] = ("", ""),
    bar: str = "",
) -> Column:
    """What is measured of a case and stored."""
    return Column(
        meaning=meaning,
        kind="measured",
        unit=unit,
        label=label,
        heading=heading,
        format=format,
        roles=roles,
        interval=interval,
        ends=ends,
        bar=bar,
    )


def computed(
    name: str,
    meaning: str,
    *,
    of: str,
    type: type = float,
    unit: str = "",
    label: str = "",
    heading: str = "",
    format: Format = "text",
    roles: tuple[Role, ...] = (),
) -> Column:
    """What is computed from the column `of` when records are read."""
    column = Column(
        meaning=meaning,
        kind="computed",
        of=of,
        type=type,
        unit=unit,
        label=label,
        heading=heading,
        format=format,
        roles=roles,
    )
    return _named(column, name)


def declared(cls: type) -> tuple[Column, ...]:
    """The columns that the fields of a dataclass declare, `field: Annotated[type, axis(…)]`, in their order."""
    hints = typing.get_type_hints(cls, include_extras=True)
    found: list[Column] = []
    for field in dataclasses.fields(cls):
        for column in getattr(hints[field.name], "__metadata__", ()):
            if isinstance(column, Column):
                kind, several = _value_type(typing.get_args(hints[field.name])[0])
                found.append(_named(dataclasses.replace(column, type=kind, several=several), field.name))
    return tuple(found)


def statistics(column: Column) -> tuple[Column, ...]:
    """The columns that are computed from a list: its median and, where declared, the ends of the median's 95% interval
    and whether it is resolved by the reference."""
    if not column.several or column.kind != "measured":
        return ()
    median = dataclasses.replace(column, kind="computed", several=False, of=column.name, interval=False, bar="")

    def made(suffix: str, meaning: str) -> Column:
        return dataclasses.replace(median, name=f"{column.name}_{suffix}", meaning=meaning)

    found = [made("median", "the median")]
    if column.interval:
        for end, heading in zip(("low", "high"), column.ends, strict=True):
            bound = made(end, f"the {end} end of the median's 95% bootstrap interval")
            found.append(dataclasses.replace(bound, roles=(), heading=heading))
    if column.bar:
        resolved = made("resolved", f"whether the median is more than {UNRESOLVED:g} times that of `{column.bar}`")
        found.append(dataclasses.replace(resolved, type=bool, unit="", heading="", format="text", roles=()))
    return tuple(found)


def _named(column: Column, name: str) -> Column:
    """The column with its name, which is also its label and an axis's heading where it has no other."""
    heading = name if column.heading is None else column.heading
    return dataclasses.replace(column, name=name, heading=heading, label=column.label or name.replace("_", " "))


def _value_type(hint: object) -> tuple[type, bool]:
    """The type of a value, or of the values of a list, and whether it is a list. The first type of a union counts."""
    if isinstance(hint, types.UnionType):
        hint = next(option for option in typing.get_args(hint) if option is not type(None))
    if typing.get_origin(hint) is tuple:
        return typing.get_args(hint)[0], True
    assert isinstance(hint, type)
    return hint, False
