"""Figures: few lines in a panel, names at the lines' ends, right slopes, fronts and counts."""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from many_records import run_of
from matplotlib.colors import to_rgb
from matplotlib.text import Annotation

import harness
from harness.figure import KINDS, Scaling
from harness.frames import load
from harness.record import Measured, Record
from harness.report.alt import alt_text
from harness.report.direct_labels import Limits, spread
from harness.report.drawings.coverage import LOOKS
from harness.report.drawings.samples import MOST as MOST_SAMPLES
from harness.report.figures import data_of
from harness.report.line_panels import MOST_LINES, arranged
from harness.report.palette import COLORS, READABLE, Palette, contrast, of_text
from harness.report.ticks import categories, decades, near_one, plain, power_of_ten, powers_of_two
from harness.store import new_run


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> pd.DataFrame:
    """Fourteen methods at three step counts, for two kinds of noise."""
    return load(run_of(tmp_path_factory.mktemp("run"), 84).folder)


@pytest.fixture
def few(tmp_path: Path, make_case) -> pd.DataFrame:
    """Memory that grows as N and not at all; a biased method whose error falls as 1/N; one that diverged."""
    run = new_run(tmp_path, "few")
    run.add_execution("few", {})
    for steps in (64, 128, 256):
        for method, seconds, peak, error in (
            ("torch/backprop", 1.0, 1000 * steps, 1e-8),
            ("torch/reversible", 2.0, 5000, 1e-8),
            ("torch/checkpoint", 3.0, 2000 * steps, 1e-8),
            ("torch/adjoint", 4.0, 6000, 0.64 / steps),
        ):
            measured = Measured(
                seconds=(seconds * steps,),
                repeats=1,
                pairing="p",
                peak_bytes=peak,
                gradient_error_theta=(1 / steps,),
                adjoint_error_theta=(error,),
                reference_error=1e-6,
            )
            case = make_case(method=method, steps=steps, scheme="heun", dtype="float32")
            run.append(Record(run=run.id, suite="few", case=case, status="ok", measured=measured))
    lost = make_case(method="torch/adjoint", steps=512, scheme="heun", dtype="float32")
    run.append(Record(run=run.id, suite="few", case=lost, status="diverged", reason="not finite"))
    return load(run.folder)


def figure(**keys):
    return KINDS[keys["figure"]](**keys)


def texts(axes) -> list[str]:
    """What is written within the panel."""
    return [text.get_text() for text in axes.texts]


def test_lines_are_named_at_their_ends_with_their_powers(few):
    (axes,) = harness.figures.scaling(few, y="peak_bytes").axes
    assert {"torch/backprop (1.00)", "torch/reversible (0.00)", "torch/adjoint (0.00)"} <= set(texts(axes))
    assert {"∝ N", "∝ √N"} <= set(texts(axes))
    assert axes.get_legend() is None
    (axes,) = harness.figures.scaling(few, y="gradient_error_theta_median").axes
    assert "torch/backprop (−1.00)" in texts(axes)


def test_a_line_at_zero_is_named_at_the_lower_end(few):
    """A logarithmic axis has no zero. The guides' names stay apart, however many decades there are."""
    at_zero = few.assign(adjoint_error_theta_median=few["adjoint_error_theta_median"].where(few["steps"] < 0, 0.0))
    biased = few["method"] == "torch/adjoint"
    at_zero.loc[biased, "adjoint_error_theta_median"] = few.loc[biased, "adjoint_error_theta_median"]
    slow = few["method"] == "torch/checkpoint"
    at_zero.loc[slow, "adjoint_error_theta_median"] = 1e-16 / few.loc[slow, "steps"] ** 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (axes,) = harness.figures.scaling(at_zero, y="adjoint_error_theta_median").axes
    assert "torch/backprop: 0" in texts(axes)
    low, high = axes.get_ylim()
    places = {text.get_text(): np.log(text.get_position()[1] / low) / np.log(high / low) for text in axes.texts}
    assert 0 <= places["torch/backprop: 0"] < 0.2
    guides = [np.log(text.xy[1]) for text in axes.texts if isinstance(text, Annotation)]
    assert abs(guides[0] - guides[1]) >= 0.069 * np.log(high / low)


@pytest.mark.parametrize(("power", "name"), [(0.5, "∝ 1/√N"), (1, "∝ 1/N"), (2, "∝ 1/N²"), (4, "∝ 1/N⁴")])
def test_guides_of_errors_are_the_orders_that_were_measured(few, power, name):
    fallen = few.assign(gradient_error_theta_median=few["steps"].astype(float) ** -power)
    (axes,) = harness.figures.scaling(fallen, y="gradient_error_theta_median").axes
    assert [text.get_text() for text in axes.texts if isinstance(text, Annotation)] == [name]


def test_guides_are_named_by_their_axis(few):
    wider = few.assign(dim=few["steps"], steps=64)
    (axes,) = harness.figures.scaling(wider, x="dim", y="peak_bytes").axes
    assert {"∝ dim", "∝ √dim"} <= set(texts(axes))


def label_boxes(axis):
    """Where the labels of the ticks are that can be seen."""
    low, high = sorted(axis.get_view_interval())
    shown = [label for label in axis.get_majorticklabels() if label.get_text() and label.get_visible()]
    place = 0 if axis.axis_name == "x" else 1
    return [label.get_window_extent() for label in shown if low <= label.get_position()[place] <= high]


@pytest.mark.parametrize("span", [1.02, 1.5, 4, 30, 400, 1e5, 1e12])
@pytest.mark.parametrize(
    "keys",
    [
        {"figure": "points", "y": "seconds_median"},
        {"figure": "points", "y": "floor_ratio"},
        {"figure": "points", "y": "peak_bytes"},
        {"figure": "points", "y": "gradient_error_theta_median"},
        {"figure": "scaling", "x": "seconds_median", "y": "gradient_error_theta_median"},
        {"figure": "scaling", "x": "steps", "y": "seconds_median"},
        {"figure": "box", "y": "gradient_error_theta_median"},
        {"figure": "pareto"},
        {"figure": "samples"},
    ],
    ids=lambda keys: " ".join(keys.values()),
)
def test_labels_of_ticks_never_touch(few, keys, span):
    """Whatever the range of the values is. An axis has at least two ticks, unless it is of bytes."""
    ok = few[few["status"] == "ok"].reset_index(drop=True)
    values = 3e-3 * np.geomspace(1, span, len(ok))
    spread_out = ok.assign(
        seconds_median=values,
        seconds=[(value, value * span**0.5) for value in values],
        seconds_low=values,
        seconds_high=values,
        floor_ratio=values,
        peak_bytes=values * 1e9,
        gradient_error_theta_median=values,
        gradient_error_theta=[(value,) for value in values],
        gradient_error_theta_low=values,
        gradient_error_theta_high=values,
    )
    options = {name: value for name, value in keys.items() if name != "figure"}
    drawn = getattr(harness.figures, keys["figure"])(spread_out, **options)
    drawn.canvas.draw()
    for axes in drawn.axes:
        for axis, scale in ((axes.xaxis, axes.get_xscale()), (axes.yaxis, axes.get_yscale())):
            boxes = label_boxes(axis)
            assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
            assert scale == "linear" or len(boxes) >= 2 or "memory" in axis.get_label().get_text()


def test_ticks_are_plain_numbers_where_these_are_short():
    assert decades(0.4, 30) == [0.5, 1, 2, 5, 10, 20]
    assert near_one(0.75, 2.3) == [0.8, 1, 1.25, 1.5, 2]
    assert [plain(value) for value in (0.5, 1.0, 2000.0, 1e-5)] == ["0.5", "1", "2,000", "10⁻⁵"]
    assert [power_of_ten(value) for value in (1e-3, 2e-3, 1.0, 1.5e12)] == ["10⁻³", "2×10⁻³", "10⁰", "1.5×10¹²"]


def test_every_panel_of_points_has_ticks(many):
    drawn = harness.figures.points(many[many["steps"] == 64], y="seconds_median", facet="noise")
    assert len(drawn.axes) > 1
    assert all(label_boxes(axes.xaxis) for axes in drawn.axes)


def test_long_names_of_categories_do_not_touch(many):
    of = many[many["steps"] == 64].copy()
    of["noise"] = np.resize(["none", "additive", "scalar", "diagonal", "general"], len(of))
    drawn = harness.figures.scaling(of, x="noise", y="peak_bytes", facet="calculus")
    drawn.canvas.draw()
    for label in drawn.axes[-1].get_xticklabels():
        assert label.get_rotation() > 30


@pytest.mark.parametrize("color", [*COLORS.values(), "#f6bb99", "#ffffff"])
def test_labels_can_be_read_on_white(color):
    darkened = of_text(to_rgb(color))
    assert contrast(darkened) >= READABLE
    assert darkened == to_rgb(color) or contrast(to_rgb(color)) < READABLE


def test_labels_of_pale_lines_are_darker_than_these(many):
    drawn = harness.figures.scaling(many, y="peak_bytes", facet="noise")
    labels = [text for axes in drawn.axes for text in axes.texts if not isinstance(text, Annotation)]
    assert labels
    assert all(contrast(to_rgb(text.get_color())) >= READABLE for text in labels)


def test_labels_stay_in_their_panel(many):
    drawn = harness.figures.scaling(many, y="peak_bytes", facet="noise")
    drawn.canvas.draw()
    for axes in drawn.axes:
        panel = axes.get_window_extent()
        for text in axes.texts:
            box = text.get_window_extent()
            assert panel.x0 <= box.x0
            assert box.x1 <= panel.x1


def test_samples_are_all_shown_relative_to_their_median(few):
    disturbed = few.assign(
        seconds=[(0.9 * m, m, 2 * m) for m in few["seconds_median"].fillna(1.0)],
        waits=[(0.0, 0.01, 0.03)] * len(few),
    )
    asked = figure(figure="samples")
    data = data_of(asked, disturbed)
    assert len(data) == 3 * 12  # the case that diverged has no times
    assert data.groupby("case")["relative"].apply(list).tolist() == [pytest.approx([0.9, 1.0, 2.0])] * 12
    assert data["disturbed"].tolist() == [False, False, True] * 12
    (axes,) = harness.figures.samples(disturbed).axes
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert rows == ["torch/adjoint", "torch/backprop", "torch/checkpoint", "torch/reversible"]
    hollow = [np.asarray(line.get_xdata()) for line in axes.lines if line.get_markerfacecolor() == "white"]
    assert np.concatenate(hollow) == pytest.approx([2.0] * 12)
    text = alt_text(asked, data)
    assert "36 samples of 12 cases" in text
    assert "12 samples waited for a core" in text


def test_of_very_many_samples_some_are_drawn_with_the_ends_of_each_row(few):
    rounds = 500
    taken = [tuple(m * (1 + 0.001 * k) for k in range(rounds)) for m in few["seconds_median"].fillna(1.0)]
    many = few.assign(seconds=taken, waits=[(0.0,) * rounds] * len(few))
    data = data_of(figure(figure="samples"), many)
    assert MOST_SAMPLES / 2 < len(data) <= MOST_SAMPLES + 2 * data["row"].nunique()
    ends = data.groupby("row")["relative"].agg(["min", "max"])
    assert ends["min"].tolist() == pytest.approx([1.0] * len(ends))
    assert ends["max"].tolist() == pytest.approx([1.499] * len(ends))


def test_samples_of_older_runs_are_not_disturbed(few):
    assert not data_of(figure(figure="samples"), few)["disturbed"].any()


def test_many_lines_have_a_panel_for_each_backend(many):
    asked = Scaling(figure="scaling", y="peak_bytes", facet="noise")
    placed, shown, _ = arranged(asked, data_of(asked, many))
    assert placed.groupby("panel")["line"].nunique().max() <= MOST_LINES
    assert len(placed) == len(data_of(asked, many))
    titles = [panel.title for panel in shown.values()]
    assert "noise additive, torch" in titles
    drawn = harness.figures.scaling(many, y="peak_bytes", facet="noise")
    assert [axes.get_title() for axes in drawn.axes] == titles
    assert len({axes.get_ylim() for axes in drawn.axes}) == 1  # they can be compared


def test_words_on_the_x_axis_stand_in_their_order(many):
    drawn = harness.figures.scaling(many[many["steps"] == 64], x="noise", y="peak_bytes")
    assert [tick.get_text() for tick in drawn.axes[-1].get_xticklabels()] == ["additive", "diagonal"]
    assert categories("noise", pd.Series(["general", "none", "scalar"])) == ["none", "scalar", "general"]
    assert categories("scheme", pd.Series(["b", "a"])) == ["b", "a"]


def test_the_front_is_what_no_other_beats(few):
    asked = figure(figure="pareto", where={"steps": 256})
    data = data_of(asked, few)
    assert data.loc[data["front"], "method"].tolist() == ["torch/backprop", "torch/reversible"]
    assert "the fastest first: torch/backprop (256 s, 250 KiB) and torch/reversible" in alt_text(asked, data)
    (axes,) = harness.figures.pareto(few, where={"steps": 256}).axes
    assert texts(axes) == ["torch/reversible", "torch/backprop"]  # from below


def test_a_front_is_drawn_in_each_panel(few):
    twice = pd.concat([few, few.assign(noise="additive", peak_bytes=few["peak_bytes"] * 2)])
    data = data_of(figure(figure="pareto", facet="noise", where={"steps": 256}), twice.reset_index(drop=True))
    assert data["front"].sum() == 4


def test_a_bias_stands_beside_the_schemes_error(few):
    asked = figure(figure="bias")
    data = data_of(asked, few)
    assert set(data["line"]) == {"", "torch/adjoint"}
    (axes,) = harness.figures.bias(few).axes
    assert set(texts(axes)) == {"torch/adjoint (−1.00)", "the scheme's own error"}
    assert "At 256 steps the adjoint error is torch/adjoint 2.5e-03." in alt_text(asked, data)
    with pytest.raises(ValueError, match="nothing to show"):
        harness.figures.bias(few[few["method"] != "torch/adjoint"])


def test_coverage_counts_what_became_of_the_cases(few):
    asked = figure(figure="coverage")
    data = data_of(asked, few).set_index("method")
    assert data["became"].to_dict() == {
        "torch/backprop": "ok", "torch/reversible": "ok", "torch/checkpoint": "ok", "torch/adjoint": "in part"
    }  # fmt: skip
    assert "12 of 13 supported cases are ok. Cases diverged of torch/adjoint. No case failed." in alt_text(
        asked, data.reset_index()
    )
    assert "3/4" in texts(harness.figures.coverage(few).axes[0])


def test_coverage_tells_what_diverged_from_what_failed(few):
    """Each state has a look of its own, also in grey."""
    of = few.drop_duplicates("method").reset_index(drop=True)
    cases = pd.concat([of.assign(status=["ok", "unstable", "timeout", "unsupported"]), of.head(1)], ignore_index=True)
    cases.loc[4, "status"] = "failed"
    found = data_of(figure(figure="coverage"), cases).set_index("method")["became"]
    assert found[of["method"]].tolist() == ["in part", "diverged", "failed", "unsupported"]
    (axes,) = harness.figures.coverage(cases.assign(scheme=list("abcde")), x="scheme").axes
    assert [label.get_text() for label in axes.get_xticklabels()] == list("abcde")
    lightness = sorted(contrast(to_rgb(color)) for color, _ in LOOKS.values())
    assert all(b / a > 1.1 for a, b in itertools.pairwise(lightness))


def test_options_are_checked(few):
    with pytest.raises(ValueError, match="seconds_median"):
        harness.figures.scaling(few, y="nonsense")


def test_labels_are_moved_apart_and_no_further():
    assert spread([0.1, 0.5, 0.9], 0.1) == pytest.approx([0.1, 0.5, 0.9])
    assert spread([0.5, 0.5], 0.1) == pytest.approx([0.45, 0.55])
    assert spread([0.0, 0.01, 0.02], 0.1) == pytest.approx([0.0, 0.1, 0.2])
    assert spread([0.98, 1.0], 0.1) == pytest.approx([0.9, 1.0])
    moved = spread(sorted(np.random.default_rng(0).uniform(size=12)), 0.07)
    assert np.diff(moved).min() >= 0.07 - 1e-12


def test_limits_are_those_of_the_data():
    limits = Limits.of(pd.Series([1.0, 100.0, np.inf, 0.0]))
    assert limits.ends() == pytest.approx((10**-0.1, 10**2.1))
    assert limits.share(limits.at(0.3)) == pytest.approx(0.3)


def test_ticks_of_bytes_are_powers_of_two():
    assert powers_of_two(900, 5000) == [1024, 2048, 4096]
    assert len(powers_of_two(2**10, 2**40)) <= 7


def test_an_approach_has_one_colour_in_all_backends(many):
    palette = Palette.of(many)
    assert palette.color("torch/adjoint") == palette.color("jax/adjoint") == COLORS["adjoint"]
    assert palette.color("jax/recursive-checkpoint(checkpoints=3)") == COLORS["recursive-checkpoint"]
    assert palette.color("mine/own") == palette.color("other/own")
    assert len(set(palette.shades(["torch/adjoint dim 1", "torch/adjoint dim 2"]).values())) == 2
