"""The runs committed under results/published, and the tables in docs/results.md that are made of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from harness.frames import load, speedups
from harness.grouping import BASELINES
from harness.report.answer.general import memory_slopes
from harness.report.format import NOTHING, decimal, error, seconds, size
from harness.report.ratios import ratios
from harness.store import open_run

ROOT = Path(__file__).parent.parent
RUNS = {path.parent.name: path for path in sorted((ROOT / "results/published").glob("*/*")) if path.is_dir()}
PAGE = (ROOT / "docs/results.md").read_text()
CHOICE = (ROOT / "docs/how-to-choose.md").read_text()


def speed(frame: pd.DataFrame) -> list[list[str]]:
    """A row a native and a library method: mean and least ratio by sampler, and time over floor."""
    found = {
        (row["native"], row["library"], row["brownian"]): row for row in ratios(speedups(frame)).to_dict("records")
    }
    rows = []
    for native, library in dict.fromkeys(key[:2] for key in found):
        own, shared = (found.get((native, library, sampler), {}) for sampler in ("own", "shared"))
        figures = [own.get("mean"), own.get("least"), shared.get("mean"), shared.get("least"), own.get("floor")]
        rows.append([native, library, *map(decimal, figures)])
    return rows


def memory(frame: pd.DataFrame) -> list[list[str]]:
    """A row a method and scheme, diagonal noise: peak memory at the fewest and the most steps, its exponent, time."""
    chosen = frame[(frame["noise"] == "diagonal") & (frame["status"] == "ok") & ~frame["approach"].isin(BASELINES)]
    slopes = {(row["method"], row["scheme"]): row["slope"] for row in memory_slopes(chosen).to_dict("records")}
    rows = []
    for (method, scheme), group in chosen.sort_values("steps").groupby(["method", "scheme"], sort=True):
        *_, many = records = group.to_dict("records")
        figures = size(records[0]["peak_bytes"]), size(many["peak_bytes"]), decimal(slopes[method, scheme])
        rows.append([method, scheme, *figures, seconds(many["seconds_median"])])
    return rows


def noise(frame: pd.DataFrame) -> list[list[str]]:
    """A row a method, Stratonovich: its own error on the discrete solve and that to the true gradient, by noise."""
    chosen = frame[(frame["calculus"] == "stratonovich") & (frame["status"] == "ok")]
    rows = []
    for (method, scheme), group in chosen.groupby(["method", "scheme"], sort=True):
        by_noise = {row["noise"]: row for row in group.to_dict("records")}
        figures = [
            error(by_noise.get(kind, {}).get(f"{column}_theta_median"))
            for column in ("adjoint_error", "gradient_error")
            for kind in ("additive", "diagonal", "general")
        ]
        if set(figures) != {NOTHING}:
            rows.append([method, scheme, *figures])
    return rows


def gpu(frame: pd.DataFrame) -> list[list[str]]:
    """A row a method and scheme: time, peak memory, and how many times as fast as the library's method it is."""
    pairs = speedups(frame).groupby(["native", "scheme"])
    times = {
        key: ", ".join(f"{decimal(row['ratio'])} × {row['library']}" for row in group.to_dict("records"))
        for key, group in pairs
    }
    chosen = frame[frame["status"] == "ok"].sort_values(["scheme", "method"])
    return [
        [
            row["method"],
            row["scheme"],
            seconds(row["seconds_median"]),
            size(row["peak_bytes"]),
            decimal(row["floor_ratio"]),
            times.get((row["method"], row["scheme"]), NOTHING),
        ]
        for row in chosen.to_dict("records")
    ]


TABLES = {"speed": speed, "memory": memory, "noise": noise, "gpu": gpu}


def table(suite: str) -> list[list[str]]:
    """The rows of the table below the heading of a suite."""
    return rows_below(PAGE, f"`{suite}`")


def rows_below(page: str, heading: str) -> list[list[str]]:
    """The rows of the table below a heading."""
    section = re.split(r"^## ", page, flags=re.MULTILINE)
    (found,) = (part for part in section if part.startswith(heading))
    lines = [line for line in found.splitlines() if line.startswith("| ")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[1:]]


@pytest.mark.parametrize("suite", TABLES)
def test_tables_are_those_of_the_runs(suite):
    assert table(suite) == TABLES[suite](load(RUNS[suite]))


def test_the_costs_on_the_page_of_the_choice_are_those_of_a_run():
    """Peak memory and time at the most steps, of the scheme that the page names."""
    frame = load(RUNS["memory"])
    chosen = frame[(frame["noise"] == "diagonal") & (frame["status"] == "ok")].sort_values("steps")
    rows = {(row["method"], row["scheme"]): row for row in chosen.to_dict("records")}
    for approach, *_, torch, jax in rows_below(CHOICE, "What each method costs"):
        scheme = "reversible-heun" if approach == "reversible" else "heun"
        for backend, shown in (("torch", torch), ("jax", jax)):
            row = rows.get((f"{backend}/{approach}", scheme))
            assert shown == ("not in this run" if row is None else ", ".join(costs(row)))
    for backend in ("torch", "jax"):  # the sentence below the table
        assert " and ".join(costs(rows[f"{backend}/backprop", "reversible-heun"])) in " ".join(CHOICE.split())


def costs(row: dict[Any, Any]) -> tuple[str, str]:
    """Peak memory and time."""
    return size(row["peak_bytes"]), seconds(row["seconds_median"])


def test_the_errors_on_the_page_of_the_choice_are_those_of_a_run():
    frame = load(RUNS["noise"])
    assert str(RUNS["noise"].relative_to(ROOT)) in CHOICE
    rows = rows_below(CHOICE, "The two errors")
    methods = ("torch/backprop", "torch/adjoint", "torchsde/adjoint")
    assert [row[0] for row in rows] == ["Stratonovich, Heun", "Itô, Euler"]
    frame = frame[frame["noise"] == "diagonal"].set_index(["calculus", "scheme", "method"])
    for (_, *shown), *key in zip(rows, ("stratonovich", "ito"), ("heun", "euler"), strict=True):
        adjoint = [frame.loc[(*key, method), "adjoint_error_theta_median"] for method in methods]
        assert shown == [error(x) for x in (frame.loc[(*key, methods[0]), "gradient_error_theta_median"], *adjoint)]
    biased = error(frame.loc[("ito", "euler", "torch/adjoint"), "gradient_error_theta_median"])  # in a sentence
    assert f"`torch/adjoint` has a gradient error of {biased}" in " ".join(CHOICE.split())


@pytest.mark.parametrize("suite", RUNS)
def test_a_published_run_says_what_it_was_taken_with(suite):
    """Nothing failed; the code was a commit, and the machine had nothing else to do."""
    run = open_run(RUNS[suite])
    frame = load(RUNS[suite])
    assert set(frame["status"]) <= {"ok", "unsupported"}
    on_cpu = frame.loc[frame["device"] == "cpu", "cpu_ratio"].dropna()
    assert on_cpu.empty or on_cpu.median() > 0.95
    for execution in run.about()["executions"]:
        assert execution["processor"]
        assert execution["packages"]["torch"]
        assert re.fullmatch(r"[0-9a-f]{40}", execution["git_revision"])
    assert str(run.folder.relative_to(ROOT)) in PAGE
