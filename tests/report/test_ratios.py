"""The summary of paired ratios: by sampler, its mean geometric, its least with the place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.cli.show import print_ratios, print_speedups
from harness.frames import load, speedups
from harness.record import Measured, Record
from harness.registry import Registry
from harness.report.answer.against_libraries import by_library
from harness.report.answer.general import answers
from harness.report.ratios import ratios
from harness.report.sections.native_against_library import NativeAgainstLibrary
from harness.section import Measurements
from harness.store import Run, new_run
from harness.suite import parse_suite

FACTORS = {"own": {64: 2.0, 128: 8.0}, "shared": {64: 0.5, 128: 2.0}}
"""How many times the native method's seconds the library took."""


@pytest.fixture
def run(tmp_path, make_case) -> Run:
    made = new_run(tmp_path / "results", "ratios")
    made.add_execution("ratios", {})
    for brownian, factors in FACTORS.items():
        for steps, factor in factors.items():
            times = {"torch/backprop": 3.0, "torchsde/backprop": 3.0 * factor}
            if brownian == "own":
                times["torch/floor"] = 2.0 if steps == 64 else 0.75
            for method, seconds in times.items():
                case = make_case(method=method, steps=steps, brownian=brownian)
                noisy = tuple(seconds * x for x in (1.0, 1.2, 0.9))
                measured = Measured(seconds=noisy, repeats=1, pairing=f"{brownian}{steps}")
                made.append(Record(run=made.id, suite="ratios", case=case, status="ok", measured=measured))
    return made


def test_samplers_are_summed_up_apart(run):
    found = ratios(speedups(load(run.folder))).set_index("brownian")
    assert found.loc["own", "mean"] == pytest.approx(4.0)
    assert found.loc["shared", "mean"] == pytest.approx(1.0)
    assert found["slower"].to_dict() == {"own": 0, "shared": 1}
    assert found["comparisons"].tolist() == [2, 2]


def test_cases_of_different_groups_are_compared_by_their_ratios_to_the_anchor(tmp_path, make_case):
    """The machine took twice as long for everything while the second group was timed."""
    run = new_run(tmp_path / "results", "groups")
    run.add_execution("groups", {})
    rounds = (1.0, 1.2, 0.9)
    for method, seconds, slowdown in (
        ("torch/floor", 1.0, 1.0),
        ("torch/backprop", 3.0, 1.0),
        ("torchsde/backprop", 12.0, 2.0),
    ):
        measured = Measured(
            seconds=tuple(seconds * slowdown * x for x in rounds),
            anchor_seconds=tuple(slowdown * x for x in rounds),
            pairing="one",
        )
        run.append(Record(run=run.id, suite="groups", case=make_case(method=method), status="ok", measured=measured))
    frame = load(run.folder)
    (pair,) = speedups(frame).to_dict("records")
    assert (pair["ratio"], pair["low"], pair["high"], pair["floor_ratio"]) == pytest.approx((4.0, 4.0, 4.0, 3.0))


def test_the_least_has_its_interval_and_its_place(run):
    found = ratios(speedups(load(run.folder))).set_index("brownian")
    least = found.loc["own"]
    assert (least["least"], least["greatest"]) == pytest.approx((2.0, 8.0))
    assert (least["least_low"], least["least_high"]) == pytest.approx((2.0, 2.0))
    assert least["where"].startswith("heun, ")
    assert least["where"].endswith(", 64 steps")


def test_the_floor_is_where_it_was_timed(run):
    floors = ratios(speedups(load(run.folder))).set_index("brownian")["floor"].to_dict()
    assert floors == pytest.approx({"own": np.sqrt(1.5 * 4.0), "shared": np.nan}, nan_ok=True)


def test_one_sentence_a_pair_names_the_samplers_where_there_are_two(run):
    (sentence,) = [s for s in answers(load(run.folder)) if "as fast as" in s]
    assert sentence == (
        "torch/backprop is 2 to 8 times as fast as torchsde/backprop with the same scheme, each with its own sampler"
        " (2 paired comparisons, geometric mean 4 times as fast); both on the shared path between 2 times as slow and"
        " 2 times as fast (2 paired comparisons, geometric mean 1 times as fast, slower in 1)."
    )


def test_one_sentence_a_library_with_the_pair_that_is_the_closest(run):
    """The ratios of each method's own sampler are 2 and 8; those on the shared path aren't mixed with them."""
    frame = load(run.folder)
    assert by_library(frame) == [
        "The native methods are 2 to 8 times as fast as those of torchsde with the same scheme, each with its own"
        " sampler (2 paired comparisons, geometric mean 4 times as fast); both on the shared path between 2 times as"
        " slow and 2 times as fast (2 paired comparisons, geometric mean 1 times as fast, slower in 1). The least is"
        " torch/backprop against torchsde/backprop: heun, neural, diagonal noise, dim 3, batch 4, 64 steps."
    ]
    (shared,) = by_library(frame[frame["brownian"] == "shared"])
    assert shared.startswith("The native methods are between 2 times as slow and 2 times as fast as those of torchsde")
    assert "slower in 1)" in shared


def test_every_block_is_printed(run, capsys):
    print_speedups(run)
    lines = [line for line in capsys.readouterr().out.splitlines() if "torch/backprop" in line]
    assert len(lines) == sum(map(len, FACTORS.values()))
    assert sum("8.00×" in line and "8.00 – 8.00" in line and "128 steps" in line for line in lines) == 1


def test_the_summary_is_printed_with_the_least_s_place(run, capsys):
    print_ratios(run)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "shared" in line]
    assert "1.00×" in line
    assert "0.50×" in line
    assert line.rstrip().endswith("64 steps")


def test_no_pairs_no_rows(run):
    frame = load(run.folder)
    assert ratios(speedups(frame[frame["backend"] == "torch"])).empty


def test_one_round_has_no_interval(tmp_path, make_case):
    """Both ends of it would be the ratio, as if it were known exactly."""
    run = new_run(tmp_path / "results", "once")
    run.add_execution("once", {})
    for method, seconds in (("torch/backprop", (1.0,)), ("torchsde/backprop", (3.0,))):
        measured = Measured(seconds=seconds, repeats=1, pairing="one")
        run.append(Record(run=run.id, suite="once", case=make_case(method=method), status="ok", measured=measured))
    suite = parse_suite(
        "name: once\ntitle: One?\ngrid: [{problem: neural, noise: diagonal, method: 'torch/*'}]", Path("once.yaml")
    )
    html = NativeAgainstLibrary().html(Measurements(load(run.folder), suite, Registry.load(), ()))
    assert html.count("<td>one round</td>") == 2
    assert "3.00 – 3.00" not in html
