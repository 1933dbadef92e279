"""The answer to a suite's question: the right cases, compared as they were timed, and in plain words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from harness.frames import load
from harness.record import Measured, Record
from harness.registry import Registry
from harness.report.answer.changes import changes
from harness.report.answer.contest import compare, pareto
from harness.report.answer.growth import power, slope
from harness.report.answer.met import met_and_where
from harness.report.answer.overview import overview, summary
from harness.report.answer.question import Asked, asked
from harness.report.answer.regimes import common, main_regimes, regimes
from harness.report.answer.sentences import answer, error_by_setting, sentences
from harness.report.answer.standings import shortened, standings
from harness.report.answer.visible_bias import visible_bias
from harness.report.page import write_report
from harness.section import Measurements
from harness.store import Run, new_run
from harness.suite import parse_suite

REGISTRY = Registry.load()
SUITE = """
name: tiny
title: Which one?
grid: [{problem: neural, noise: [additive, diagonal], method: 'torch/*', steps: [64, 128, 256]}]
"""
MEMORY, TIME = Asked("memory", "steps"), Asked("time", "steps")
CASES = {
    # method: seconds of three rounds at 256 steps, bytes at 64, 128 and 256 steps, adjoint error
    "jax/backprop": ((0.010, 0.011, 0.0105), (1_000_000, 2_000_000, 4_000_000), 1e-7),
    "jax/checkpoint": ((0.0101, 0.0109, 0.0106), (400_000, 566_000, 800_000), 1e-7),
    "jax/reversible": ((0.020, 0.022, 0.021), (100_000, 100_000, 100_000), 1e-7),
    "torch/adjoint": ((0.300, 0.310, 0.305), (90_000, 90_000, 90_000), 3e-3),
    "torchsde/adjoint": ((0.900, 0.920, 0.910), (200_000, 200_000, 200_000), 4e-3),
}


def record(run: Run, make_case, method: str, steps: int, noise: str, **measured) -> Record:
    case = make_case(method=method, steps=steps, noise=noise, dtype="float32")
    return Record(run=run.id, suite="tiny", case=case, status="ok", measured=Measured(**measured))


@pytest.fixture
def run(tmp_path: Path, make_case) -> Run:
    """Two kinds of noise; with additive noise everything takes twice as long."""
    made = new_run(tmp_path / "results", "tiny")
    environment = {
        "time": "t", "processor": "a processor", "usable_cores": 2, "logical_cores": 4, "memory_bytes": 2**33,
        "platform": "p", "kernel": "k", "python": "3", "packages": {"torch": "1", "jax": "2"}, "variables": {},
        "git_revision": None, "seed": 0, "suite_text": SUITE, "cuda_devices": {},
    }  # fmt: skip
    made.add_execution("tiny", environment)
    for noise, factor in (("additive", 2.0), ("diagonal", 1.0)):
        for method, (seconds, peaks, error) in CASES.items():
            for steps, peak in zip((64, 128, 256), peaks, strict=True):
                made.append(
                    record(
                        made,
                        make_case,
                        method,
                        steps,
                        noise,
                        seconds=tuple(factor * s * steps / 256 for s in seconds),
                        pairing=f"{noise}{steps}",
                        repeats=1,
                        cpu_ratio=1.0,
                        peak_bytes=peak,
                        gradient_error_theta=(0.64 / steps,),
                        adjoint_error_theta=(error,),
                        reference_error=1e-6,
                    )
                )
    return made


@pytest.fixture
def frame(run) -> pd.DataFrame:
    return load(run.folder)


def test_the_question_is_the_suites_own_or_what_it_draws_first(frame):
    def of(more: str) -> Asked:
        return asked(parse_suite(SUITE + more, Path("tiny.yaml")), frame)

    assert of("") == Asked("time", "steps")
    assert of("measure: [memory]") == Asked("memory", "steps")
    assert of("report: [{figure: scaling, y: peak_bytes}]") == Asked("memory", "steps")
    assert of("report: [{figure: speedups}]").about == "speedup"
    assert of("tables: [orders]").about == "order"
    assert of("tables: [exponents]").about == "growth"
    assert of("question: stability").about == "stability"
    one = asked(parse_suite(SUITE, Path("tiny.yaml")), frame[frame["steps"] == 64])
    assert one == Asked("time", None)


def test_a_regime_is_all_that_is_given(frame):
    found = regimes(frame, MEMORY)
    assert [regime.words for regime in found] == ["additive noise", "diagonal noise"]
    assert [len(regime.cases) for regime in found] == [5, 5]
    assert found[0].where == "at 256 steps (additive noise)"
    (main,) = main_regimes(found)
    assert main is not None
    assert main.words == "diagonal noise"
    assert "float32" in common(frame)
    assert "diagonal" not in common(frame)
    assert "full" not in common(frame)


def test_products_in_tf32_are_named(frame):
    rounded = frame[frame["noise"] == "diagonal"].assign(matmul="tf32")
    assert common(rounded).endswith("products in TF32")
    found = regimes(pd.concat([frame[frame["noise"] == "diagonal"], rounded]), MEMORY)
    assert [regime.words for regime in found] == ["products in full precision", "products in TF32"]


def test_standings_are_sorted_by_what_is_asked(frame):
    (regime,) = (r for r in regimes(frame, MEMORY) if r.words == "diagonal noise")
    table = standings(regime, MEMORY, REGISTRY).set_index("method")
    assert list(table.index) == [
        "torch/adjoint", "jax/reversible", "torchsde/adjoint", "jax/checkpoint", "jax/backprop"
    ]  # fmt: skip
    assert table["growth"].to_dict() == {
        "torch/adjoint": "constant",
        "jax/reversible": "constant",
        "torchsde/adjoint": "constant",
        "jax/checkpoint": "as steps^0.50",
        "jax/backprop": "in proportion to steps",
    }
    assert table["native"].to_dict()["torchsde/adjoint"] is False
    assert [m for m, on in table["front"].items() if on] == [
        "torch/adjoint", "jax/reversible", "jax/checkpoint", "jax/backprop"
    ]  # fmt: skip
    assert table.loc["torch/adjoint", "remark"] == "smallest memory, biased by 3.0e-03"
    assert table.loc["jax/backprop", "remark"] == "fastest, exact"
    assert "as far as the data can tell" in str(table.loc["jax/checkpoint", "remark"])
    by_time = standings(regime, Asked("time", "steps"), REGISTRY)
    assert by_time["method"].tolist()[0] == "jax/backprop"


def test_of_one_measure_there_is_no_front(frame):
    errors = frame.assign(seconds_median=float("nan"), peak_bytes=float("nan"))
    question = Asked("error", "steps")
    (regime, _) = regimes(errors, question)
    assert not standings(regime, question, REGISTRY)["front"].any()
    assert "front" not in overview([regime], question, REGISTRY)


def test_a_short_table_keeps_the_front_the_last_and_each_backend(frame):
    (regime, _) = regimes(frame, MEMORY)
    table = standings(regime, MEMORY, REGISTRY)
    assert shortened(table, 5)["method"].tolist() == table["method"].tolist()
    assert set(shortened(table, 4)["method"]) == set(table.loc[table["front"], "method"])


def test_times_are_compared_round_by_round_and_only_if_taken_together(frame):
    rows = frame[(frame["steps"] == 256) & (frame["noise"] == "diagonal")].set_index("method").T.to_dict()
    (ratio,) = compare([rows["jax/reversible"]], rows["jax/backprop"])
    assert ratio.value == pytest.approx(2.0)
    assert ratio.paired
    assert not ratio.undecided
    assert compare([rows["jax/checkpoint"]], rows["jax/backprop"])[0].undecided
    elsewhere = frame[(frame["steps"] == 256) & (frame["noise"] == "additive")].set_index("method").T.to_dict()
    (apart,) = compare([elsewhere["jax/backprop"]], rows["jax/backprop"])
    assert (apart.value, apart.paired, apart.undecided) == (pytest.approx(2.0), False, False)


def test_the_front_of_what_was_measured(frame):
    """Of two that need the same, neither is beaten; a bias below rounding is no difference."""
    at = frame[(frame["steps"] == 256) & (frame["noise"] == "diagonal")]
    assert pareto(at)["method"].tolist() == ["jax/backprop", "jax/checkpoint", "jax/reversible", "torch/adjoint"]
    assert pareto(at.assign(seconds_median=float("nan")))["method"].tolist() == ["torch/adjoint"]


def test_the_memory_in_sentences(frame):
    (_, regime) = regimes(frame, MEMORY)
    text = " ".join(sentences(regime, standings(regime, MEMORY, REGISTRY), MEMORY))
    assert (
        "At 256 steps (diagonal noise), the smallest peak memory is 87.9 KiB (torch/adjoint), the largest 3.81 MiB"
        in text
    )
    assert "doesn't grow with the steps in adjoint (torch and torchsde) and jax/reversible" in text
    assert "in proportion to steps in jax/backprop" in text
    assert "the fastest is jax/reversible (21 ms, 97.7 KiB, error 2.5e-03); it takes 2.0 times as long" in text
    assert "with 97.7 KiB, jax/reversible (21 ms)" in text


def test_how_the_measures_change_with_the_size(frame):
    """Time in proportion, memory from none to proportion, error as 1/N; an error below the bar doesn't count."""
    (_, regime) = regimes(frame, TIME)
    table = standings(regime, TIME, REGISTRY)
    time, memory, error = changes(regime, table)
    assert time == "From 64 to 256 steps, time grows as steps^1.00."
    assert memory.startswith("From 64 to 256 steps, memory stays the same (jax/reversible) or grows, ")
    assert memory.endswith("at most as steps^1.00 (jax/backprop).")
    assert error == "From 64 to 256 steps, the gradient error falls as steps^-1.00."
    unresolved = replace(regime, sizes=regime.sizes.assign(gradient_error_theta_resolved=False))
    assert len(list(changes(unresolved, table))) == 2
    assert not list(changes(replace(regime, over=None), table))


def test_the_time_in_sentences(frame):
    question = Asked("time", "steps")
    (_, regime) = regimes(frame, question)
    text = " ".join(sentences(regime, standings(regime, question, REGISTRY), question))
    assert "the fastest is jax/backprop" in text
    assert "the data can't tell it from jax/checkpoint (95% interval" in text
    assert "There the fastest method of a library is torchsde/adjoint (910 ms), which takes 87 times as long" in text
    assert "below 0.01: jax/backprop at 64 steps" in text
    assert "below 0.1" not in text.replace("below 0.01", "")  # the same case, named at its smallest level


def test_errors_and_lost_cases_in_sentences(run, make_case):
    case = make_case(method="torch/adjoint", steps=256, noise="scalar", dtype="float32")
    run.append(Record(run=run.id, suite="tiny", case=case, status="diverged", reason="not finite"))
    run.append(record(run, make_case, "jax/adjoint", 256, "scalar", adjoint_error_theta=(2e-3,)))
    run.append(record(run, make_case, "jax/backprop", 256, "scalar", adjoint_error_theta=(1e-8,)))
    frame = load(run.folder)
    question = Asked("adjoint_error", "steps")
    regime = next(r for r in regimes(frame, question) if r.words == "scalar noise")
    text = " ".join(sentences(regime, standings(regime, question, REGISTRY), question))
    assert "the gradient of the discrete solve is met to 1.0e-08 by jax/backprop" in text.lower()
    assert "It is missed by jax/adjoint (2.0e-03)." in text
    assert "No numbers from torch/adjoint with scalar noise: diverged, not finite." in text


def test_a_bias_is_told_where_it_can_be_seen(frame):
    """The scheme's own error at 256 steps is 2.5e-3; the biases are 3e-3 and 4e-3."""
    (sentence,) = visible_bias(regimes(frame, MEMORY))
    assert "in 4 of 4 cases: torchsde/adjoint at 256 steps (additive noise) (4.0e-03 beside 2.5e-03)" in sentence
    small = frame.assign(gradient_error_theta_median=1.0)
    (sentence,) = visible_bias(regimes(small, MEMORY))
    assert sentence == (
        "The bias of adjoint (torch and torchsde) can't be seen: it is at most 0.004 of the scheme's own error."
    )
    assert visible_bias(regimes(frame.assign(gradient_error_theta_median=float("nan")), MEMORY)) == []


def test_a_bias_stands_beside_the_scheme_s_error_at_the_same_tolerance(frame):
    """With atol 1e-2 the scheme errs by 1e-1, with 1e-4 by 1e-3: a bias of 2e-3 is visible beside the latter alone."""
    one = frame[(frame["steps"] == 256) & (frame["noise"] == "diagonal")].assign(stepping="adaptive", rtol=0.0)
    one = one[one["method"].isin(["jax/backprop", "torch/adjoint"])]
    one["adjoint_error_theta_median"] = one["adjoint_error_theta_median"].where(one["method"] == "jax/backprop", 2e-3)
    both = pd.concat(
        [one.assign(atol=atol, gradient_error_theta_median=error) for atol, error in ((1e-2, 1e-1), (1e-4, 1e-3))]
    )
    (sentence,) = visible_bias(regimes(both, Asked("time", None)))
    assert sentence == (
        "A bias is visible beside the scheme's own error in 1 of 2 cases: torch/adjoint with adaptive"
        " steps (atol 0.0001) (2.0e-03 beside 1.0e-03). In the other one, by heun, it is at most 0.02 of that error."
    )


def test_a_bias_below_rounding_counts_among_the_cases_where_it_can_t_be_seen(frame):
    """torch/adjoint is biased with one noise, and below rounding with the other: that is a case in which it isn't."""
    adjoint = frame["method"] == "torch/adjoint"
    errors = frame["adjoint_error_theta_median"].where(~adjoint | (frame["noise"] != "additive"), 1e-8)
    chosen = frame.assign(adjoint_error_theta_median=errors)[frame["method"] != "torchsde/adjoint"]
    (sentence,) = visible_bias(regimes(chosen, MEMORY))
    assert sentence == (
        "A bias is visible beside the scheme's own error in 1 of 2 cases: torch/adjoint at 256 steps (diagonal noise)"
        " (3.0e-03 beside 2.5e-03). In the other one, by heun, it is at most 4e-06 of that error."
    )


def test_the_overview_has_a_row_a_regime(frame):
    found = overview(regimes(frame, MEMORY), MEMORY, REGISTRY)
    assert found["regime"].tolist() == ["additive noise", "diagonal noise"]
    assert found["fastest"].tolist() == ["jax/backprop (21 ms)", "jax/backprop (10.5 ms)"]
    assert found["alike"].tolist() == ["jax/checkpoint"] * 2
    assert found["memory"].tolist() == ["torch/adjoint (87.9 KiB)"] * 2
    assert found["error"].tolist() == ["2.5e-03 (5 of 5 methods within 10%)"] * 2
    assert found["front"].tolist() == ["torch/adjoint, jax/reversible, jax/checkpoint and jax/backprop"] * 2
    assert found["levels"].tolist() == [
        "0.01: jax/backprop at 64 steps (5.25 ms)", "0.01: jax/backprop at 64 steps (2.62 ms)"
    ]  # fmt: skip


def test_errors_are_told_of_each_setting(run, frame):
    """The smallest at any size, and what is the fastest below each level that is reached."""
    found = list(error_by_setting(regimes(frame, Asked("error", "steps"))))
    assert found == [
        "additive noise: the smallest gradient error is 2.5e-03 (jax/backprop at 256 steps). The fastest for an error"
        " below 0.01: jax/backprop at 64 steps (5.25 ms).",
        "diagonal noise: the smallest gradient error is 2.5e-03 (jax/backprop at 256 steps). The fastest for an error"
        " below 0.01: jax/backprop at 64 steps (2.62 ms).",
    ]
    suite = parse_suite(SUITE + "question: error", Path("tiny.yaml"))
    assert answer(Measurements(frame, suite, REGISTRY, ()))[:2] == found


def test_what_the_fastest_gradient_takes_in_each_setting(frame):
    suite = parse_suite(SUITE + "question: time", Path("tiny.yaml"))
    assert answer(Measurements(frame, suite, REGISTRY, ()))[0] == (
        "The fastest gradient takes from 10.5 ms (diagonal noise, jax/backprop) to 21 ms (additive noise, jax/backprop,"
        " 2.0 times as long)."
    )


def test_the_most_memory_is_that_of_any_scheme(run, make_case):
    """A method's worse scheme isn't in the table, but the sentence is about all cases."""
    case = make_case(method="torch/backprop", scheme="midpoint", steps=256, noise="diagonal", dtype="float32")
    run.append(Record(run=run.id, suite="tiny", case=case, status="ok", measured=Measured(peak_bytes=8 * 2**20)))
    case = make_case(method="torch/backprop", scheme="heun", steps=256, noise="diagonal", dtype="float32")
    run.append(Record(run=run.id, suite="tiny", case=case, status="ok", measured=Measured(peak_bytes=4 * 2**20)))
    regime = regimes(load(run.folder), MEMORY)[1]
    first, *_ = sentences(regime, standings(regime, MEMORY, REGISTRY), MEMORY)
    assert "the largest 8 MiB (torch/backprop with midpoint), 93 times as much." in first


@pytest.mark.parametrize(
    ("fastest", "said"),
    [
        (["a/x (1 s)"] * 3, ["a/x is the fastest in each of 3 settings."]),
        (["a/x (1 s)", "a/y (2 s)", "a/x (3 s)"], ["Of 3 settings, the fastest is a/x in 2 and a/y in 1."]),
        (["a/x (1 s)"] * 2, []),
    ],
)
def test_the_overview_in_a_sentence(fastest, said):
    assert summary(pd.DataFrame({"fastest": fastest})) == said


def test_growth_in_words():
    rows = pd.DataFrame({"steps": [32, 64, 128], "peak_bytes": [1e5, 2e5, 2e5], "seconds_median": [1.0, 2.0, 4.0]})
    assert power(slope(rows, "steps", "peak_bytes"), "steps") == "constant"  # it has stopped growing
    assert power(slope(rows, "steps", "seconds_median"), "steps") == "in proportion to steps"
    assert power(slope(rows.head(2), "steps", "seconds_median"), "steps") == ""


def test_the_page_has_the_answer_first(run, tmp_path):
    text = write_report(run, tmp_path / "report").read_text()
    assert text.index('id="answers"') < text.index('id="standings"') < text.index('id="regimes"')
    assert text.index('id="regimes"') < text.index('id="general"')
    assert "torchsde/adjoint (library)" in text
    assert text.count('<tr class="bold">') == 4


def test_a_method_that_isnt_installed_is_neither_exact_nor_biased(frame):
    (regime, _) = regimes(frame.assign(adjoint_error_theta_median=float("nan")), MEMORY)
    gone = regime.cases.assign(method=regime.cases["method"].replace({"torch/adjoint": "gone/adjoint"}))
    changed = type(regime)(**{**vars(regime), "cases": gone})
    table = standings(changed, MEMORY, REGISTRY).set_index("method")
    assert table.loc["gone/adjoint", "exact"] is None
    assert table.loc["gone/adjoint", "remark"] == "smallest memory"
    assert table.loc["torchsde/adjoint", "remark"] == "biased"


def test_exactness_is_answered_over_all_settings_and_where_the_largest_error_is(frame):
    """In float32 up to 1e-4 is rounding: two methods miss it. With one size there is no growth to tell."""
    only = frame.assign(gradient_error_theta_median=float("nan"), gradient_error_theta=[[]] * len(frame))
    only = only[only["steps"] == 256]
    suite = parse_suite(SUITE + "measure: [adjoint_error]", Path("tiny.yaml"))
    told = answer(Measurements(only, suite, REGISTRY, ()))
    assert told[0].startswith("In float32 the gradient of the discrete solve is met to 1.0e-07 by jax/backprop")
    assert told[1] == "In float32 it is missed by torch/adjoint (up to 3.0e-03) and torchsde/adjoint (up to 4.0e-03)."
    assert told[2].startswith("The largest error of those that meet it is that of jax/")
    assert told[2].endswith("heun, neural additive (stratonovich), 256 steps.")
    assert len(told) == 3
    rows = overview(regimes(only, Asked("adjoint_error", None)), Asked("adjoint_error", None), REGISTRY)
    assert rows["error"].tolist() == ["1.0e-07 (3 of 5 methods within rounding)"] * 2


def test_exactness_is_told_of_each_precision(frame):
    """An error of float64 is not hidden behind the larger ones of float32."""
    double = frame.assign(dtype="float64")
    for part in ("theta", "y0"):
        double[f"adjoint_error_{part}"] = [[1e-15]] * len(double)
        double[f"adjoint_error_{part}_median"] = 1e-15
    told = met_and_where(pd.concat([frame, double]))
    assert [sentence.split(" the ")[0] for sentence in told if "is met" in sentence] == ["In float32", "In float64"]
    assert sum(sentence.startswith("The largest error of those that meet it") for sentence in told) == 2


def test_the_growth_of_rounding_in_a_sentence(frame):
    grown = frame.assign(adjoint_error_theta_median=1e-9 * frame["steps"])
    question = Asked("adjoint_error", "steps")
    (_, regime) = regimes(grown, question)
    text = " ".join(sentences(regime, standings(regime, question, REGISTRY), question))
    assert text.endswith("From 64 to 256 steps, the adjoint error grows as steps^1.00.")


def test_measurements_are_answered_as_a_whole(run, frame):
    suite = parse_suite(SUITE + "report: [{figure: speedups}]", Path("tiny.yaml"))
    told = answer(Measurements(frame, suite, REGISTRY, ()))
    assert any("torch/adjoint" in sentence and "torchsde/adjoint" in sentence for sentence in told)
