"""The page: right numbers, one file, no network."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.figure import KINDS, Scaling
from harness.frames import load, speedups
from harness.record import Measured, Record
from harness.report.answer.general import answers, memory_slopes
from harness.report.figures import DRAWINGS, data_of, draw
from harness.report.page import command, write_report
from harness.report.palette import Palette
from harness.report.panels import facets_of
from harness.store import Run, new_run

SUITE = """
name: tiny
title: Is it <b>safe</b> & sound?
grid:
  - {problem: neural, noise: diagonal, method: torch/backprop}
report:
  - {figure: scaling, x: steps, y: peak_bytes, facet: noise}
  - {figure: scaling, x: steps, y: gradient_error_theta_median}
  - {figure: scaling, x: seconds_median, y: gradient_error_theta_median}
  - {figure: points, x: method, y: seconds_median}
  - {figure: points, x: method, y: floor_ratio}
  - {figure: box, x: steps, y: gradient_error_theta_median}
  - {figure: points, x: method, y: loss_error_median}
  - {figure: speedups}
"""

SECONDS = {"torch/floor": 1.0, "torch/backprop": 2.0, "torchsde/backprop": 4.0, "torch/adjoint": 3.0}


@pytest.fixture
def run(tmp_path: Path, make_case) -> Run:
    """Made-up records whose statistics are known: memory of backprop ∝ steps, others flat; ratios 2, 4, 3."""
    made = new_run(tmp_path / "results", "tiny")
    environment = {
        "time": "t", "processor": "a processor", "usable_cores": 2, "logical_cores": 4, "memory_bytes": 2**33,
        "platform": "p", "kernel": "k", "python": "3", "packages": {"torch": "1", "jax": "2"}, "variables": {"X": None},
        "git_revision": None, "seed": 0, "suite_text": SUITE, "cuda_devices": {},
    }  # fmt: skip
    made.add_execution("tiny", environment)
    for steps in (64, 128, 256):
        for method, seconds in SECONDS.items():
            noisy = tuple(seconds * factor for factor in (1.0, 1.1, 0.9))
            errors: dict[str, Any] = (
                {}
                if method.endswith("floor")
                else {
                    "gradient_error_theta": (0.1, 0.3),
                    "adjoint_error_theta": (1e-3, 3e-3),
                    "loss_error": (0.1, 0.2),
                    "reference_error_loss": (0.06, 0.06) if steps == 256 else (1e-3, 1e-3),
                }
            )
            measured = Measured(
                seconds=noisy,
                repeats=1,
                pairing=f"p{steps}",
                cpu_ratio=1.0,
                reference_error=0.5 if steps == 64 else 1e-3,
                peak_bytes=1000 * steps if "backprop" in method else 5000,
                **errors,
            )
            case = make_case(method=method, steps=steps, dtype="float32")
            made.append(Record(run=made.id, suite="tiny", case=case, status="ok", measured=measured))
    refused = Record(
        run=made.id,
        suite="tiny",
        case=make_case(method="jax/reversible"),
        status="unsupported",
        reason="<i>no</i>",
    )
    made.append(refused)
    made.append(
        Record(
            run=made.id,
            suite="tiny",
            case=make_case(method="jax/adjoint"),
            status="timeout",
            reason="too long",
        )
    )
    return made


def test_ratios_are_of_rounds_taken_together(run):
    found = speedups(load(run.folder))
    assert found["ratio"].tolist() == pytest.approx([2.0] * 3)
    assert (found["low"] == found["high"]).all()  # the noise is common to both, and cancels


def test_floor_ratios(run):
    frame = load(run.folder).set_index(["method", "steps"])
    assert frame.loc[("torch/adjoint", 64), "floor_ratio"] == pytest.approx(3.0)


def test_ratios_to_the_floor_have_intervals(run, make_case):
    """Two rounds at the ratio 3 and one at 6; points of a ratio show it."""
    for method, seconds in (("jax/floor", (1.0, 1.0, 1.0)), ("jax/adjoint", (3.0, 3.0, 6.0))):
        measured = Measured(seconds=seconds, repeats=1, pairing="own")
        case = make_case(method=method, steps=512, dtype="float32")
        run.append(Record(run=run.id, suite="tiny", case=case, status="ok", measured=measured))
    frame = load(run.folder).set_index(["method", "steps"])
    found = [frame[f"floor_ratio{end}"]["jax/adjoint", 512] for end in ("", "_low", "_high")]
    assert found == pytest.approx([3.0, 3.0, 6.0])
    drawn = panels_of(run, {"figure": "points", "y": "floor_ratio", "where": {"steps": 512}})[0]
    ends = [segment[:, 0].tolist() for marks in drawn.collections for segment in getattr(marks, "get_segments", list)()]
    assert [3.0, 6.0] in [pytest.approx(end) for end in ends]


def test_errors_have_intervals_and_are_judged_by_their_own_bars(run):
    frame = load(run.folder)
    of_adjoint = frame[frame["method"] == "torch/adjoint"].sort_values("steps")
    assert of_adjoint[["adjoint_error_theta_low", "adjoint_error_theta_high"]].to_numpy().tolist() == [[1e-3, 3e-3]] * 3
    assert of_adjoint[["loss_error_low", "loss_error_high"]].to_numpy().tolist() == [[0.1, 0.2]] * 3
    assert of_adjoint["gradient_error_theta_resolved"].tolist() == [False, True, True]
    assert of_adjoint["loss_error_resolved"].tolist() == [True, True, False]


def test_records_of_before_a_column_was_added_can_be_read(run):
    path = run.folder / "records.jsonl"
    path.write_text(path.read_text().replace('"reference_error_loss"', '"something_else"'))
    frame = load(run.folder)
    assert frame["reference_error_loss_median"].isna().all()
    assert frame.loc[frame["loss_error_median"].notna(), "loss_error_resolved"].all()


@pytest.mark.parametrize(
    ("figure", "hollow"),
    [
        ({"figure": "scaling", "x": "steps", "y": "gradient_error_theta_median"}, [[64]] * 3),
        ({"figure": "scaling", "x": "steps", "y": "loss_error_median"}, [[256]] * 3),
        ({"figure": "points", "x": "method", "y": "loss_error_median"}, [[pytest.approx(0.15)]] * 3),
    ],
    ids=str,
)
def test_points_that_are_not_resolved_are_hollow(run, figure, hollow):
    assert [
        np.asarray(line.get_xdata()).tolist() for line in lines_of(run, figure) if line.get_markerfacecolor() == "white"
    ] == hollow


def test_boxes_that_are_not_resolved_are_outlines(run):
    from matplotlib.patches import PathPatch

    found = panels_of(run, {"figure": "box", "x": "steps", "y": "gradient_error_theta_median"})
    assert [axes.get_title() for axes in found] == ["torch", "torchsde"]
    for axes, methods in zip(found, (2, 1), strict=True):
        filled = [np.asarray(patch.get_path().vertices) for patch in axes.patches if isinstance(patch, PathPatch)]
        outlines = [np.asarray(line.get_xydata()) for line in axes.lines if len(np.asarray(line.get_xdata())) == 5]
        places = [sorted(round(box[:, 0].mean()) for box in boxes) for boxes in (outlines, filled)]
        assert places == [[0] * methods, [1] * methods + [2] * methods]  # 64 steps; 128 and 256


def panels_of(run, keys):
    """What a figure of the made-up run is drawn on."""
    figure = KINDS[keys["figure"]](**keys)
    frame = load(run.folder)
    grid = DRAWINGS[type(figure)].plot(figure, data_of(figure, frame), Palette.of(frame))
    return list(grid.panels.values())


def test_a_drawing_has_its_data(run):
    """A row a mark, with whether it is resolved; the floor has no gradient to be wrong in."""
    drawing = draw(Scaling(figure="scaling", y="gradient_error_theta_median"), load(run.folder))
    assert drawing
    assert drawing.svg.startswith("<svg")
    found = drawing.data[drawing.data["method"] == "torch/adjoint"].sort_values("steps")
    assert found["gradient_error_theta_median"].tolist() == pytest.approx([0.2] * 3)
    assert found["gradient_error_theta_resolved"].tolist() == [False, True, True]
    assert "torch/floor" not in set(drawing.data["method"])


def test_a_figure_without_data_is_left_out(run):
    assert draw(Scaling(figure="scaling", x="evaluations_median"), load(run.folder)) is None


def lines_of(run, keys):
    """Its lines."""
    return panels_of(run, keys)[0].get_lines()


def test_samples_of_different_pairings_are_not_compared(run, make_case):
    measured = Measured(seconds=(1.0,), repeats=1, pairing="elsewhere")
    case = make_case(method="torchsde/adjoint", steps=64, dtype="float32")
    run.append(Record(run=run.id, suite="tiny", case=case, status="ok", measured=measured))
    assert "torchsde/adjoint" not in set(speedups(load(run.folder))["library"])


def test_memory_slopes(run):
    slopes = memory_slopes(load(run.folder)).set_index("method")["slope"]
    assert slopes["torch/backprop"] == pytest.approx(1.0)
    assert slopes["torch/adjoint"] == pytest.approx(0.0, abs=1e-12)


def test_memory_of_nothing_has_no_slope(run, make_case):
    """A method of NumPy's may allocate nothing, and 0 bytes have no logarithm."""
    for steps in (32, 128, 512):
        case = make_case(method="torch/reversible", scheme="reversible-heun", steps=steps)
        run.append(Record(run=run.id, suite="tiny", case=case, status="ok", measured=Measured(peak_bytes=0)))
    frame = load(run.folder)
    assert "torch/reversible" not in set(memory_slopes(frame)["method"])
    assert answers(frame)


def test_memory_that_stops_growing(run, make_case):
    """As that of what holds a chunk of steps, which few steps don't fill."""
    for steps, peak in ((32, 150_000), (128, 180_000), (512, 180_000), (2048, 180_000)):
        case = make_case(method="torch/reversible", scheme="reversible-heun", steps=steps)
        run.append(Record(run=run.id, suite="tiny", case=case, status="ok", measured=Measured(peak_bytes=peak)))
    frame = load(run.folder)
    assert memory_slopes(frame).set_index("method")["slope"]["torch/reversible"] > 0.03
    assert "does not grow with the steps for torch/adjoint and torch/reversible" in "\n".join(answers(frame))


def test_answers_are_made_from_the_data(run):
    text = "\n".join(answers(load(run.folder)))
    assert "torch/backprop is 2 times as fast as torchsde/backprop" in text
    assert "does not grow with the steps for torch/adjoint" in text
    assert "torch/backprop (steps^1.00)" in text
    assert "3 gradient errors of 9 lie within 3 times" in text
    assert "One thread was asked for and used: processor over wall time is 1.00." in text


def test_slower_is_said_too(run, make_case):
    for method, seconds in (("jax/backprop", 3.0), ("diffrax/direct", 1.5)):
        measured = Measured(seconds=(seconds,), repeats=1, pairing="q", cpu_ratio=1.9)
        run.append(Record(run=run.id, suite="tiny", case=make_case(method=method), status="ok", measured=measured))
    text = "\n".join(answers(load(run.folder)))
    assert "jax/backprop is 2 times as slow as diffrax/direct" in text
    assert "(1 paired comparison, slower in 1)" in text
    assert "Beware: diffrax/direct and jax/backprop used more than the one thread" in text


def test_a_busy_machine_is_told(run, make_case):
    measured = Measured(seconds=(1.0,), repeats=1, cpu_ratio=0.4)
    run.append(Record(run=run.id, suite="tiny", case=make_case(method="jax/backprop"), status="ok", measured=measured))
    text = "\n".join(answers(load(run.folder)))
    assert re.search(r"Beware: the machine was busy. 1 case of \d+ had a core for less than 90% of the time", text)
    assert "down to 0.40" in text
    assert "One thread was asked for and used" not in text


def test_a_method_that_keeps_memory_is_named(run, make_case):
    def add(method: str, *kept: float) -> str:
        for steps, value in enumerate(kept, start=1):
            case = make_case(method=method, steps=steps)
            run.append(
                Record(run=run.id, suite="tiny", case=case, status="ok", measured=Measured(retained_bytes=value))
            )
        return "\n".join(answers(load(run.folder)))

    assert "allocated" not in "\n".join(answers(load(run.folder)))  # older runs don't have it
    text = add("jax/backprop", -300.0, 150.0)
    assert "Memory is free again after each gradient" in text
    assert "150 B" in text
    text = add("jax/checkpoint", 2.0**20, 100.0)
    assert "Beware" in text
    assert "jax/checkpoint (1 MiB per gradient)" in text
    assert "jax/backprop (" not in text


def test_the_page_needs_no_network_and_escapes(run, tmp_path):
    text = write_report(run, tmp_path / "report").read_text()
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", text)
    assert "<b>safe</b>" not in text
    assert "Is it &lt;b&gt;safe&lt;/b&gt; &amp; sound?" in text
    assert "<i>no</i>" not in text
    assert text.count("<figure ") == 9  # those of the suite, and the raw samples
    assert (tmp_path / "report/index.html").read_text().count("tiny.html") == 1


@pytest.mark.parametrize("report", ["", "report: [{figure: samples}]"])
def test_the_samples_of_the_times_are_shown_once(run, tmp_path, report):
    """Whether the suite asks for them or has no figure at all, with the script of the buttons."""
    path = run.folder / "run.json"
    path.write_text(path.read_text().replace(json.dumps(SUITE), json.dumps(SUITE.partition("report:")[0] + report)))
    text = write_report(run, tmp_path / "report").read_text()
    assert text.count("<figure ") == text.count("The samples of the times, divided") // 2 == 1  # caption and alt text
    assert text.count("The buttons below each figure") == 1


def test_the_same_records_give_the_same_page(run, tmp_path):
    assert write_report(run, tmp_path / "a").read_text() == write_report(run, tmp_path / "b").read_text()


def test_an_empty_run_has_a_page(tmp_path, run):
    empty = new_run(tmp_path / "results", "tiny")
    empty.add_execution("tiny", run.about()["executions"][0])
    assert "Nothing was measured." in write_report(empty, tmp_path / "report").read_text()


def test_what_diverges_is_said(run, make_case):
    for steps in (8, 16):
        case = make_case(method="torch/ees", scheme="ees25", steps=steps)
        status = "diverged" if steps == 8 else "ok"
        run.append(Record(run=run.id, suite="tiny", case=case, status=status))
    text = "\n".join(answers(load(run.folder)))
    assert "No finite gradient: torch/ees with ees25 (1 of 2 cases)." in text


def test_panels_are_in_the_order_of_the_numbers_in_their_names():
    figure = Scaling(figure="scaling", facet="problem")
    data = pd.DataFrame({"problem": ["p(mu=10.0)", "p", "p(mu=3.0)", "p(mu=100.0)"]})
    assert facets_of(figure, data) == ["p", "p(mu=3.0)", "p(mu=10.0)", "p(mu=100.0)"]


def test_the_command_that_measured_a_run():
    assert (
        command({"arguments": ["/there/__main__.py", "run", "my suite.yaml"]})
        == "python -m harness run 'my suite.yaml'"
    )
    assert command({"arguments": ["/bin/gradient-harness", "run", "memory"]}) == "gradient-harness run memory"
    folders = ["--results", "/tmp/out", "--report=/tmp/pages", "--resume"]
    assert command({"arguments": ["__main__.py", "run", "gpu", *folders]}) == "python -m harness run gpu"
    assert command({"arguments": ["notebook.py"]}) == command({}) == ""
