"""The page: right numbers, one file, no network, and it works in a browser."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from harness.frames import load, speedups
from harness.record import Measured, Record
from harness.report.answers import answers, memory_slopes
from harness.report.page import write_report
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
            errors = (
                {} if method.endswith("floor") else {"gradient_error_theta": (0.1, 0.3), "adjoint_error_theta": (1e-3,)}
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


def test_samples_of_different_pairings_are_not_compared(run, make_case):
    measured = Measured(seconds=(1.0,), repeats=1, pairing="elsewhere")
    case = make_case(method="torchsde/adjoint", steps=64, dtype="float32")
    run.append(Record(run=run.id, suite="tiny", case=case, status="ok", measured=measured))
    assert "torchsde/adjoint" not in set(speedups(load(run.folder))["library"])


def test_memory_slopes(run):
    slopes = memory_slopes(load(run.folder)).set_index("method")["slope"]
    assert slopes["torch/backprop"] == pytest.approx(1.0)
    assert slopes["torch/adjoint"] == pytest.approx(0.0, abs=1e-12)


def test_answers_are_made_from_the_data(run):
    text = "\n".join(answers(load(run.folder)))
    assert "torch/backprop is 2× to 2× as fast as torchsde/backprop" in text
    assert "does not grow with the steps for torch/adjoint" in text
    assert "torch/backprop (steps^1.00)" in text
    assert "3 gradient errors of 9 lie within 3 times" in text
    assert "One thread was asked for and used" in text


def test_slower_is_said_too(run, make_case):
    for method, seconds in (("jax/backprop", 3.0), ("diffrax/direct", 1.5)):
        measured = Measured(seconds=(seconds,), repeats=1, pairing="q", cpu_ratio=1.9)
        run.append(Record(run=run.id, suite="tiny", case=make_case(method=method), status="ok", measured=measured))
    text = "\n".join(answers(load(run.folder)))
    assert "jax/backprop is 0.5× as fast as diffrax/direct" in text
    assert "(1 paired comparison, slower in 1)" in text
    assert "Beware: diffrax/direct and jax/backprop used more than the one thread" in text


def test_the_page_needs_no_network_and_escapes(run, tmp_path):
    text = write_report(run, tmp_path / "report").read_text()
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", text)
    assert "<b>safe</b>" not in text
    assert "Is it &lt;b&gt;safe&lt;/b&gt; &amp; sound?" in text
    assert "<i>no</i>" not in text
    assert text.count("<figure>") == 6
    assert (tmp_path / "report/index.html").read_text().count("tiny.html") == 1


def test_the_same_records_give_the_same_page(run, tmp_path):
    assert write_report(run, tmp_path / "a").read_text() == write_report(run, tmp_path / "b").read_text()


def test_an_empty_run_has_a_page(tmp_path, run):
    empty = new_run(tmp_path / "results", "tiny")
    empty.add_execution("tiny", run.about()["executions"][0])
    assert "Nothing was measured." in write_report(empty, tmp_path / "report").read_text()


@pytest.fixture
def browser():
    """Headless Chromium, from the system's packages."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "install Chromium (apt-get install chromium): the page is tested in a browser"
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=arguments)
        yield launched
        launched.close()


def test_the_table_sorts_and_filters_in_a_browser(run, tmp_path, browser):
    page = browser.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "request",
        lambda request: problems.append(request.url) if not request.url.startswith("file:") else None,
    )
    page.goto(write_report(run, tmp_path / "report").as_uri())
    rows = page.locator("#records tbody tr")
    assert rows.count() == 14
    assert page.locator("#shown").inner_text() == "14 of 14 records"

    page.get_by_label("Filter").fill("torchsde 128")
    assert page.locator("#shown").inner_text() == "1 of 14 records"
    page.get_by_label("Filter").fill("")

    heading = page.get_by_role("button", name="time", exact=True)
    index = page.locator("#records th").all_inner_texts().index("time")
    heading.click()
    ascending = [
        float(v)
        for v in rows.locator(f"td:nth-child({index + 1})").evaluate_all("c => c.map(x => x.dataset.sort)")
        if v
    ]
    assert ascending == sorted(ascending)
    heading.click()
    values = rows.locator(f"td:nth-child({index + 1})").evaluate_all("c => c.map(x => x.dataset.sort)")
    numbers = [float(v) for v in values if v]
    assert numbers == sorted(numbers, reverse=True)
    assert values[-2:] == ["", ""]  # what was not measured comes last either way
    assert page.locator("figure svg").count() == 6
    assert page.locator("#failures").inner_text().count("too long") == 1
    assert not problems


def test_what_diverges_is_said(run, make_case):
    for steps in (8, 16):
        case = make_case(method="torch/ees", scheme="ees25", steps=steps)
        status = "diverged" if steps == 8 else "ok"
        run.append(Record(run=run.id, suite="tiny", case=case, status=status))
    text = "\n".join(answers(load(run.folder)))
    assert "No finite gradient: torch/ees with ees25 (1 of 2 cases)." in text


def test_panels_are_in_the_order_of_the_numbers_in_their_names():
    import pandas as pd

    from harness.report.panels import facets_of
    from harness.suite import Figure

    figure = Figure(figure="scaling", facet="problem")
    data = pd.DataFrame({"problem": ["p(mu=10.0)", "p", "p(mu=3.0)", "p(mu=100.0)"]})
    assert facets_of(figure, data) == ["p", "p(mu=3.0)", "p(mu=10.0)", "p(mu=100.0)"]
