"""Columns: one declaration each, from which all else follows."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated

import pytest

from harness.case import AXES, FIELDS, Case
from harness.column import REQUIRED, axis, declared, measured, statistics
from harness.columns import COLUMNS, COMPUTED, RATIOS, bar_of, error_of, interval_of, samples_of, with_role
from harness.frames import COMPUTE, load
from harness.record import STORED, Measured, columns
from harness.report.format import FORMATS
from harness.store import new_run
from harness.suite import Grid


def test_every_field_is_a_column():
    for cls in (Case, Measured):
        assert [column.name for column in declared(cls)] == [field.name for field in dataclasses.fields(cls)]


def test_names_are_unique_and_what_columns_refer_to_exists():
    assert len({*columns(), *COMPUTED}) == len(columns()) + len(COMPUTED) == len(COLUMNS)
    for column in COLUMNS.values():
        assert column.meaning
        assert column.format in FORMATS
        assert not column.bar or COLUMNS[column.bar].several
        assert (column.kind == "computed") == (column.of in COLUMNS)


def test_every_ratio_is_computed():
    assert {column.name for column in RATIOS} == set(COMPUTE)


def test_a_frame_has_the_declared_columns(tmp_path):
    run = new_run(tmp_path, "tiny")
    run.add_execution("tiny", {})
    assert list(load(run.folder)) == [*columns(), *COMPUTED]


@pytest.mark.parametrize("name", AXES)
def test_the_grid_has_the_declared_axes_and_defaults(name):
    field, declared_default = Grid.model_fields[name], COLUMNS[name].default
    if declared_default is REQUIRED:
        assert field.is_required()
    else:
        assert field.default == (None if declared_default is None else (declared_default,))


def test_an_axis_that_fields_give_a_default_is_optional_in_ids(make_case):
    """The default of a field is the value under which old cases keep their ids, not what a suite gets."""
    assert make_case().id == make_case(atol=0.0).id != make_case(atol=1e-3).id
    assert COLUMNS["atol"].default == 1e-3


@dataclass(frozen=True)
class Sample:
    """A few columns."""

    size: Annotated[int, axis("a size", default=3)]
    took: Annotated[tuple[float, ...], measured("times", unit="seconds", roles=("y",), interval=True)] = ()
    missed: Annotated[tuple[float, ...], measured("an error", bar="took")] = ()
    count: Annotated[int | None, measured("a count", label="how many")] = None


def test_what_a_declaration_gives():
    size, took, missed, count = declared(Sample)
    assert (size.heading, size.label, size.numeric, size.roles) == ("size", "size", True, ("facet",))
    assert [column.name for column in statistics(took)] == ["took_median", "took_low", "took_high"]
    assert [column.roles for column in statistics(took)] == [("y",), (), ()]
    assert [column.name for column in statistics(missed)] == ["missed_median", "missed_resolved"]
    assert statistics(count) == ()
    assert (took.axis_label, count.axis_label, count.numeric) == ("took (seconds)", "how many", True)


def test_what_belongs_to_a_column():
    assert interval_of("seconds_median") == ("seconds_low", "seconds_high")
    assert interval_of("floor_ratio") == ("floor_ratio_low", "floor_ratio_high")
    assert interval_of("peak_bytes") is interval_of("evaluations_median") is None
    assert samples_of("loss_error_median") == "loss_error"
    assert samples_of("peak_bytes") is samples_of("seconds_low") is None
    assert error_of("loss_error_median") == "loss_error"
    assert error_of("adjoint_error_theta_median") is None
    assert bar_of("loss_error") == "reference_error_loss_median"


def test_figures_can_show_numbers_and_axes():
    assert set(with_role("facet")) <= {*AXES, "backend", "approach", "machine"}
    assert all(COLUMNS[name].numeric for name in with_role("y"))
    assert "seconds" not in with_role("x")
    assert {column.name for column in FIELDS if column.kind == "identity"} == {"seed"}
    assert STORED[0].name == "schema_version"
