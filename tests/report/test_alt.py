"""What figures say of themselves to readers who don't see them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from many_records import run_of

from harness.figure import KINDS, Speedups
from harness.frames import load
from harness.report.alt import alt_text
from harness.report.figures import data_of


@pytest.fixture(scope="module")
def frame(tmp_path_factory) -> pd.DataFrame:
    """Twelve methods' times, memory and errors at 32, 64 and 128 steps, for two kinds of noise."""
    return load(run_of(tmp_path_factory.mktemp("run"), 84).folder)


def alt(frame: pd.DataFrame, **keys: Any) -> str:
    """Of the figure with these options."""
    figure = KINDS[keys["figure"]](**keys)
    return alt_text(figure, data_of(figure, frame))


def test_lines_tell_axes_panels_series_and_the_ends_at_the_largest_size(frame):
    text = alt(frame, figure="scaling", x="steps", y="peak_bytes", facet="noise")
    assert "peak memory" in text
    assert "against steps" in text
    assert "2 panels: noise additive and diagonal" in text
    assert "14 series" in text
    for noise in ("additive", "diagonal"):
        largest = frame[(frame["noise"] == noise) & (frame["steps"] == 128)].sort_values("peak_bytes")
        for place in (0, -1):
            assert (
                f"{largest['method'].iloc[place]} (" in text.partition(f"{noise}: at steps 128")[2].split(".")[0] + "."
            )


def test_points_tell_the_lowest_and_the_highest(frame):
    found = frame[frame["steps"].eq(64) & frame["noise"].eq("diagonal")].sort_values("seconds_median")
    text = alt(frame, figure="points", y="seconds_median", where={"steps": 64, "noise": "diagonal"})
    assert f"the lowest is {found['method'].iloc[0]} (" in text
    assert f"the highest {found['method'].iloc[-1]} (" in text


def test_ratios_tell_how_many_are_slower(frame):
    figure = Speedups(figure="speedups")
    pairs = data_of(figure, frame)
    text = alt_text(figure, pairs)
    assert f"slower in {(pairs['ratio'] < 1).sum()} of {len(pairs)} comparisons" in text


def test_samples_of_boxes_are_told_like_lines(frame):
    assert alt(frame, figure="box", y="gradient_error_theta_median").startswith("Box plot of gradient error of θ")
