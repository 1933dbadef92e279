"""Two settings that differ in one axis alone: every fit, point, line and row is of one of them, and names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

from harness.case import AXES
from harness.cli.show import print_records, print_speedups
from harness.figure import KINDS
from harness.frames import load, speedups
from harness.grouping import KEYS
from harness.record import Measured, Record
from harness.report.answer.general import answers, memory_slopes
from harness.report.drawings.speedups import pair_names
from harness.report.exactness import exactness
from harness.report.explore.view import table_columns
from harness.report.exponents import exponents
from harness.report.figures import DRAWINGS, data_of
from harness.report.orders import orders
from harness.report.page import write_report
from harness.report.palette import Palette
from harness.report.ratios import ratios
from harness.store import Run, new_run

OTHER: dict[str, Any] = {
    "problem": "example2",
    "noise": "additive",
    "calculus": "ito",
    "scheme": "midpoint",
    "method": "jax/adjoint",
    "dim": 5,
    "batch": 8,
    "steps": 48,
    "observations": 2,
    "dtype": "float32",
    "device": "cuda",
    "threads": 2,
    "brownian": "own",
    "stepping": "adaptive",
    "rtol": 0.1,
    "atol": 0.25,
    "matmul": "tf32",
    "seed": 4,
}
"""A value of each axis that isn't the usual one."""
HOW = ("dtype", "device", "threads", "brownian", "stepping", "matmul")
STEPS = (16, 32, 64, 128, 256)
SUITE = """
name: tiny
title: Two settings
grid: [{problem: neural, noise: diagonal, method: jax/backprop}]
tables: [orders, exponents, exactness]
"""
WORDS = {axis: value if isinstance(value, str) else f"{axis} {value:g}" for axis, value in OTHER.items()}


def but(*varied: str) -> pytest.MarkDecorator:
    """Every axis but those that a group varies on purpose."""
    return pytest.mark.parametrize("axis", [axis for axis in OTHER if axis not in varied])


@pytest.fixture
def write(tmp_path: Path, make_case) -> Callable[..., Run]:
    """A run with the usual setting at several steps, and the same with one axis changed."""

    def add(axis: str, steps: tuple[int, ...] = STEPS, methods: tuple[str, ...] = ("jax/backprop",)) -> Run:
        run = new_run(tmp_path, "tiny")
        environment = {
            "time": "t", "processor": "a processor", "usable_cores": 2, "logical_cores": 4, "memory_bytes": 2**33,
            "platform": "p", "kernel": "k", "python": "3", "packages": {"torch": "1", "jax": "2"}, "variables": {},
            "git_revision": None, "seed": 0, "suite_text": SUITE, "cuda_devices": {},
        }  # fmt: skip
        run.add_execution("tiny", environment)
        for other in (False, True):
            for n in steps:
                for method in methods:
                    errors = (1.0 / n, 2.0 / n)
                    measured = Measured(
                        seconds=(1e-3 * n, 1.1e-3 * n),
                        repeats=1,
                        pairing=f"{other} {n}",
                        parameters=n,
                        peak_bytes=1000 * n,
                        gradient_error_theta=errors,
                        gradient_error_y0=errors,
                        adjoint_error_theta=errors,
                        adjoint_error_y0=errors,
                        reference_error=1e-9,
                    )
                    changed = {axis: OTHER[axis]} if other else {}
                    case = make_case(**{"method": method, "steps": n, **changed})
                    run.append(Record(run=run.id, suite="tiny", case=case, status="ok", measured=measured))
        return run

    return add


def test_every_axis_is_tried():
    assert set(OTHER) == {*AXES, "seed"}


@but("steps")
def test_orders(write, registry, axis):
    found = orders(load(write(axis).folder), registry)
    assert found.groupby(axis, sort=False)["of"].apply(list).tolist() == [["θ", "y0"]] * 2
    assert set(found["sizes"]) == {len(STEPS)}


@but("steps")
def test_exponents_of_steps(write, axis):
    found = exponents(load(write(axis).folder))
    assert found.loc[found["grows"] == "steps", axis].nunique() == 2


@but("problem", "steps")
def test_exponents_of_parameters(tmp_path, make_case, axis):
    run = new_run(tmp_path, "tiny")
    run.add_execution("tiny", {})
    for changed in ({}, {axis: OTHER[axis]}):
        for width in (4, 8, 16):
            case = make_case(**{"problem": f"neural(width={width})", **changed})
            measured = Measured(seconds=(1e-3 * width,), peak_bytes=1000, parameters=width)
            run.append(Record(run=run.id, suite="tiny", case=case, status="ok", measured=measured))
    found = exponents(load(run.folder))
    assert found["grows"].tolist() == ["parameters"] * 2
    assert found[axis].nunique() == 2


def test_parameters_of_different_problems_are_no_fit(tmp_path, make_case):
    run = new_run(tmp_path, "tiny")
    run.add_execution("tiny", {})
    for width, problem in enumerate(("neural", "example1", "example2"), start=1):
        measured = Measured(seconds=(1.0,), peak_bytes=1000, parameters=width)
        run.append(Record(run=run.id, suite="tiny", case=make_case(problem=problem), status="ok", measured=measured))
    assert exponents(load(run.folder)).empty


@but("steps")
def test_memory_slopes(write, axis):
    found = memory_slopes(load(write(axis).folder))
    assert found[axis].nunique() == len(found) == 2
    assert found["slope"].tolist() == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("axis", ["method", *HOW])
def test_exactness_is_told_apart_by_how_it_was_computed(write, axis):
    found = exactness(load(write(axis).folder))
    assert found[axis].nunique() == len(found) == 2
    assert found["cases"].tolist() == [len(STEPS)] * 2


@but("method", "steps", *HOW)
def test_exactness_counts_and_names_all_settings(write, axis):
    (row,) = exactness(load(write(axis).folder)).to_dict("records")
    assert (row["settings"], row["cases"]) == (2, 2 * len(STEPS))
    (other,) = exactness(load(write(axis).folder).iloc[::-1]).to_dict("records")  # of two equal errors, the first
    assert row["where"] != other["where"]
    assert str(OTHER[axis]) in other["where"]


PAIR = ("jax/backprop", "diffrax/direct")


@pytest.mark.parametrize("axis", HOW)
def test_ratios_are_told_apart_by_how_they_were_computed(write, axis):
    run = write(axis, methods=PAIR)
    pairs = speedups(load(run.folder))
    found = ratios(pairs)
    assert found[axis].nunique() == len(found) == 2
    assert len(set(pair_names(pairs))) == 2
    (sentence,) = [s for s in answers(load(run.folder)) if "as fast as" in s]
    assert sentence.count("paired comparisons") == 2
    assert axis == "brownian" or WORDS[axis] in sentence


@but("method", "steps", *HOW)
def test_where_the_least_ratio_was_names_what_differs(write, axis):
    pairs = speedups(load(write(axis, steps=(16,), methods=PAIR).folder))
    assert len(pairs) == 2
    places = {ratios(part)["where"].iloc[0] for part in (pairs, pairs.iloc[::-1])}  # of two equal ratios, the first
    assert len(places) == 2


@but("method", "steps")
def test_printed_ratios_and_records_name_what_differs(write, capsys, axis):
    run = write(axis, steps=(16,), methods=PAIR)
    for show in (print_speedups, print_records):
        show(run)
        lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("jax/backprop")]
        assert len(set(lines)) == len(lines) == 2


@pytest.mark.parametrize("axis", HOW)
def test_time_over_floor_is_told_apart(write, axis):
    run = write(axis, methods=("torch/backprop", "torch/floor"))
    assert len([s for s in answers(load(run.folder)) if s.startswith("Time over the floor")]) == 2


@pytest.fixture
def drawn() -> Iterator[Callable[..., Any]]:
    """Draw a figure of a run; it is closed after the test."""

    def draw(run: Run, **keys: Any) -> Any:
        figure = KINDS[keys["figure"]](**keys)
        return DRAWINGS[type(figure)].plot(figure, data_of(figure, load(run.folder)), Palette.of(load(run.folder)))

    yield draw
    plt.close("all")


@but("steps")
@pytest.mark.parametrize("x", ["steps", "seconds_median"])
def test_scaling_draws_a_line_a_setting(write, drawn, x, axis):
    grid = drawn(write(axis), figure="scaling", x=x, y="peak_bytes")
    lines = [line for line in grid.first.get_lines() if not line.get_label().startswith("_")]  # as guides have
    assert [len(line.get_xdata()) for line in lines] == [len(STEPS)] * 2
    labels = {line.get_label() for line in lines}
    assert len(labels) == 2
    assert any(WORDS[axis] in label for label in labels)
    assert len({line.get_color() for line in lines}) == 2


@pytest.mark.parametrize("tolerance", ["rtol", "atol"])
def test_a_line_over_what_is_measured_goes_along_the_tolerance(tmp_path, make_case, drawn, tolerance):
    run = new_run(tmp_path, "tiny")
    run.add_execution("tiny", {})
    for k, value in enumerate((0.1, 0.01, 0.001)):
        measured = Measured(seconds=(1.0 + k,), peak_bytes=1000)
        case = make_case(stepping="adaptive", **{tolerance: value})
        run.append(Record(run=run.id, suite="tiny", case=case, status="ok", measured=measured))
    (line,) = drawn(run, figure="scaling", x="seconds_median", y="peak_bytes").first.get_lines()
    assert len(line.get_xdata()) == 3


@but("steps")
def test_a_box_is_of_one_setting(write, drawn, axis):
    grid = drawn(write(axis), figure="box", x="steps", y="gradient_error_theta_median")
    (legend,) = grid.figure.legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert len(set(labels)) == 2
    assert any(WORDS[axis] in label for label in labels)


@but()
def test_points_has_a_row_a_setting(write, drawn, axis):
    grid = drawn(write(axis, steps=(16,)), figure="points", x="method", y="seconds_median")
    labels = [text.get_text() for text in grid.first.get_yticklabels()]
    assert len(set(labels)) == len(labels) == 2
    assert any(WORDS[axis] in label for label in labels)


def test_a_panel_is_named_by_all_that_sets_it_apart(tmp_path, make_case, drawn):
    run = new_run(tmp_path, "tiny")
    run.add_execution("tiny", {})
    for problem, dim in (("neural", 2), ("lorenz", 3)):
        for steps in (16, 32):
            case = make_case(problem=problem, dim=dim, steps=steps)
            measured = Measured(seconds=(1.0,), peak_bytes=1000)
            run.append(Record(run=run.id, suite="tiny", case=case, status="ok", measured=measured))
    grid = drawn(run, figure="scaling", x="steps", y="peak_bytes", facet="problem")
    assert {axes.get_title() for axes in grid.panels.values()} == {"problem lorenz, dim 3", "problem neural, dim 2"}
    assert {text.get_text() for axes in grid.panels.values() for text in axes.texts} == {"torch/backprop"}


@but()
def test_rows_of_the_table_of_all_records_differ_in_what_they_say(write, axis):
    frame = load(write(axis).folder)
    columns = [name for name in table_columns(frame) if name in KEYS]
    assert not frame[columns].astype(str).duplicated().any()


@but("steps")
def test_rows_of_the_page_s_tables_differ_in_what_they_say(write, tmp_path, axis):
    text = write_report(write(axis), tmp_path / "report").read_text()
    for table in ("orders", "exponents", "exactness"):
        body = text.partition(f'<table id="{table}">')[2].partition("</table>")[0].partition("<tbody>")[2]
        rows = [row.strip() for row in body.split("</tr>")[:-1]]
        assert len(set(rows)) == len(rows) > 0, table
