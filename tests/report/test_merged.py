"""One page of several runs: machines stay apart in all that it says, and the newest record of a case counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

import harness
from harness.case import Case
from harness.errors import InputError
from harness.figure import KINDS, Pareto
from harness.frames import load, speedups
from harness.machines import facts, names
from harness.record import Measured, Record
from harness.report.answer.general import answers
from harness.report.answer.question import asked
from harness.report.answer.regimes import main_regimes, regimes
from harness.report.exactness import exactness
from harness.report.exponents import exponents
from harness.report.figures import DRAWINGS, data_of
from harness.report.orders import orders
from harness.report.page import write_report
from harness.report.palette import Palette
from harness.report.ratios import ratios
from harness.report.read import read
from harness.store import Run

SUITE = """
name: tiny
title: How much memory does each method need?
grid: [{problem: neural, noise: diagonal, method: jax/backprop}]
report:
  - {figure: scaling, x: steps, y: peak_bytes}
  - {figure: speedups}
tables: [orders, exponents, exactness]
"""
ENVIRONMENT = {
    "time": "2026-01-01T00:00:00+00:00", "processor": "a processor", "usable_cores": 2, "logical_cores": 4,
    "memory_bytes": 2**33, "platform": "p", "kernel": "k", "python": "3", "packages": {"torch": "1", "jax": "2"},
    "variables": {}, "git_revision": None, "seed": 0, "suite_text": SUITE, "cuda_devices": {},
}  # fmt: skip
METHODS = ("jax/backprop", "diffrax/direct", "torch/adjoint")
STEPS = (16, 32, 64, 128, 256)


@pytest.fixture
def write(tmp_path: Path, make_case) -> Callable[..., Run]:
    """A run of some methods at several steps. `slower` multiplies its times."""

    def add(name: str, *, host: str = "alpha", slower: float = 1.0, suite: str = "tiny", **environment: Any) -> Run:
        run = Run(tmp_path / suite / name)
        run.folder.mkdir(parents=True)
        run.add_execution(suite, {**ENVIRONMENT, **environment})
        for n in STEPS:
            for rank, method in enumerate(METHODS, start=1):
                errors = (1.0 / n, 2.0 / n) if method == "torch/adjoint" else (1e-12, 2e-12)
                measured = Measured(
                    host=host,
                    seconds=(1e-3 * n * rank * slower, 1.1e-3 * n * rank * slower),
                    repeats=1,
                    pairing=f"{name} {n}",
                    peak_bytes=1000 * n,
                    gradient_error_theta=(1.0 / n, 2.0 / n),
                    gradient_error_y0=(1.0 / n, 2.0 / n),
                    adjoint_error_theta=errors,
                    adjoint_error_y0=errors,
                    reference_error=1e-9,
                )
                case = make_case(method=method, steps=n, scheme="heun")
                run.append(Record(run=run.id, suite=suite, case=case, status="ok", measured=measured))
            lost = make_case(method="jax/adjoint", steps=n, scheme="heun")
            run.append(Record(run=run.id, suite=suite, case=lost, status="failed", reason="no", measured=Measured()))
        return run

    return add


@pytest.fixture
def two(write) -> list[Run]:
    """Of two machines: on the second everything takes twice as long."""
    return [write("2026-01-01T00-00-00Z"), write("2026-01-02T00-00-00Z", host="beta", slower=2.0)]


@pytest.fixture
def frame(two):
    return load([run.folder for run in two])


def test_a_machine_is_named_by_what_tells_it_apart():
    alpha = facts(ENVIRONMENT, "alpha")
    assert names([alpha]) == ["a processor"]
    assert names([alpha, facts(ENVIRONMENT, "beta")]) == ["alpha", "beta"]
    other = facts({**ENVIRONMENT, "processor": "another", "packages": {"torch": "1.1", "jax": "2"}}, "beta")
    assert names([alpha, other]) == ["a processor", "another"]
    newer = facts({**ENVIRONMENT, "packages": {"torch": "1.1", "jax": "2"}}, "alpha")
    assert names([alpha, newer, facts(ENVIRONMENT, "beta")]) == ["alpha, torch 1", "alpha, torch 1.1", "beta, torch 1"]
    assert names([alpha, facts({**ENVIRONMENT, "git_revision": "x", "kernel": "l"}, "alpha")]) == ["a processor"] * 2
    assert len(set(names([alpha, facts({**ENVIRONMENT, "variables": {"XLA_FLAGS": "x"}}, "alpha")]))) == 2


def test_threads_that_are_one_anyway_are_no_difference():
    alpha = facts(ENVIRONMENT, "alpha")
    assert facts({**ENVIRONMENT, "variables": {"OMP_NUM_THREADS": "1"}}, "alpha") == alpha
    assert facts({**ENVIRONMENT, "variables": {"OMP_NUM_THREADS": "2"}}, "alpha") != alpha


def on_workers(folder: Path, make_case: Callable[..., Case], workers: Sequence[dict[str, Any]]) -> Run:
    """A run of a cluster. Each worker measured one size, and the first one wrote what is unsupported."""
    run = Run(folder / "tiny" / "2026-01-01T00-00-00Z")
    run.folder.mkdir(parents=True)
    for n, about in enumerate(workers):
        run.add_execution("tiny", {**ENVIRONMENT, "worker": f"tcp://{about['host']}:1", "warnings": [], **about})
        measured = Measured(host=about["host"], seconds=(1.0,), repeats=1, pairing=f"{n}", peak_bytes=1000)
        case = make_case(method="jax/backprop", steps=STEPS[n], scheme="heun")
        run.append(Record(run=run.id, suite="tiny", execution=n, case=case, status="ok", measured=measured))
    lost = make_case(method="jax/adjoint", steps=16, scheme="heun")
    run.append(Record(run=run.id, suite="tiny", case=lost, status="unsupported", reason="no", measured=Measured()))
    return run


def test_workers_of_one_kind_are_one_machine_and_other_kinds_are_not(tmp_path, make_case):
    """Hosts alone make no kind. A worker beside which another one measures is of another kind than one alone."""
    workers = [
        {"host": "n1"},
        {"host": "n2"},
        {"host": "n3", "processor": "another"},
        {"host": "n4", "shared": True},
        {"host": "n5", "packages": {"torch": "1", "jax": "3"}},
    ]
    frame = load(on_workers(tmp_path, make_case, workers).folder)
    names_of = [*frame["machine"]]
    assert names_of[0] == names_of[1] == names_of[5]  # that of the unsupported case
    assert frame["machine"].nunique() == 4
    assert set(frame["host"].dropna()) == {"n1", "n2", "n3", "n4", "n5"}


def test_hosts_of_a_cluster_tell_its_runs_apart(tmp_path, make_case):
    """Runs on other hosts are kept apart, however many hosts there are: a host may be what differs."""
    some = [{"host": f"n{n}"} for n in (1, 2, 3, 4)]
    others = [{"host": f"n{n}"} for n in (1, 2, 5, 4)]
    runs = [on_workers(tmp_path / str(n), make_case, workers) for n, workers in enumerate((some, others))]
    frame = load([run.folder for run in runs])
    assert frame["machine"].nunique() == 2
    assert all(name.startswith("4 hosts, n1 to n") for name in frame["machine"])


def test_a_page_names_the_workers_and_what_was_wrong_with_each(tmp_path, make_case):
    workers = [{"host": "n1"}, {"host": "n2", "warnings": ["it was hot"]}, {"host": "n3", "processor": "another"}]
    text = write_report(on_workers(tmp_path, make_case, workers), tmp_path / "report").read_text()
    assert text.count('<table class="environment">') == 2
    assert "tcp://n1:1 on n1 and tcp://n2:1 on n2" in text
    assert "on the worker tcp://n2:1: it was hot" in text


def test_records_of_two_machines_are_all_kept(frame):
    assert frame.groupby("machine").size().to_dict() == {"alpha": 20, "beta": 20}  # those without a host as well


def test_the_newest_record_of_a_case_counts_on_one_machine(write):
    runs = [write("2026-01-02T00-00-00Z", slower=3.0), write("2026-01-01T00-00-00Z")]
    for order in (runs, runs[::-1]):
        found = load([run.folder for run in order])
        assert set(found["run"]) == {"2026-01-02T00-00-00Z"}
        assert len(found) == 20
    assert set(found["machine"]) == {"a processor"}


def test_tables_are_of_one_machine_a_row(frame, registry):
    assert orders(frame, registry)["machine"].nunique() == 2
    assert set(orders(frame, registry)["sizes"]) == {len(STEPS)}
    assert exponents(frame)["sizes"].tolist() == ["16 to 256"] * len(exponents(frame))
    assert exactness(frame)["cases"].tolist() == [len(STEPS)] * len(exactness(frame))
    pairs = speedups(frame)
    assert len(pairs) == 2 * len(STEPS)
    assert pairs["ratio"].tolist() == pytest.approx([2.0] * len(pairs))  # and not 4 or 1 of the two machines
    assert sorted(ratios(pairs)["machine"]) == ["alpha", "beta"]


@pytest.mark.parametrize(
    "keys",
    [
        {"figure": "scaling", "x": "steps", "y": "peak_bytes"},
        {"figure": "scaling", "x": "noise", "y": "peak_bytes", "where": {"steps": 64}},
        {"figure": "points", "y": "peak_bytes", "where": {"steps": 64}},
        {"figure": "box", "y": "gradient_error_theta_median"},
        {"figure": "speedups"},
        {"figure": "pareto", "where": {"steps": 64}},
        {"figure": "bias"},
        {"figure": "coverage"},
        {"figure": "samples"},
    ],
    ids=lambda keys: f"{keys['figure']} {keys.get('x', '')}",
)
def test_figures_name_the_machine(frame, keys):
    figure = KINDS[keys["figure"]](**keys)
    data = data_of(figure, frame)
    grid = DRAWINGS[type(figure)].plot(figure, data, Palette.of(frame))
    axes = grid.first
    legend = [text.get_text() for found in grid.figure.legends for text in found.get_texts()]
    titles = [panel.get_title() for panel in grid.panels.values()]
    written = [*legend, *titles, *(text.get_text() for text in [*axes.texts, *axes.get_yticklabels()])]
    plt.close("all")
    for machine in ("alpha", "beta"):
        assert any(machine in text for text in written), written


def test_a_front_is_of_one_machine(frame):
    shown = data_of(Pareto(figure="pareto", where={"steps": 64}), frame)
    assert set(shown.loc[shown["front"], "machine"]) == {"alpha", "beta"}


def test_answers_are_of_one_machine(two, frame):
    found = answers(frame)
    assert all(sentence.startswith(("alpha: ", "beta: ")) for sentence in found)
    apart = [answers(load(run.folder)) for run in two]
    assert found == [f"{name}: {s}" for name, of_one in zip(("alpha", "beta"), apart, strict=True) for s in of_one]
    measurements, _ = read(two, plugins=False)
    mains = main_regimes(regimes(frame, asked(measurements.suite, frame)))
    assert [set(main.cases["machine"]) for main in mains] == [{"alpha"}, {"beta"}]
    with pytest.raises(ValueError, match="alpha and beta"):
        harness.recommend(frame)


def test_the_page_of_several_runs_stands_beside_that_of_one(two, tmp_path):
    alone, merged = write_report(two[0], tmp_path / "report"), write_report(two, tmp_path / "report")
    assert {alone.name, merged.name} == {"tiny.html", "tiny.merged.html"}
    text = merged.read_text()
    for words in (two[0].id, two[1].id, "alpha", "beta", "at 256 steps (alpha)", "at 256 steps (beta)"):
        assert words.lower() in text.lower(), words
    assert "alpha" not in alone.read_text().partition("<main")[2].partition('data-section="explore"')[0]
    index = (tmp_path / "report" / "index.html").read_text()
    assert "alpha; beta" in index


def test_a_page_is_of_one_suite(two, write):
    other = write("2026-01-03T00-00-00Z", suite="other")
    with pytest.raises(InputError, match="one suite"):
        read([*two, other], plugins=False)
