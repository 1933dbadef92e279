"""What a new user asks of a page is answered on its first two screens."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser

from harness.frames import load
from harness.grouping import gradients
from harness.report.format import seconds, size
from harness.report.page import write_report
from harness.store import Run, open_run

PUBLISHED = Path(__file__).parents[2] / "results" / "published"
HEIGHT = 800
TEXTS = "h1, h2, p, li, tr, .hint"
ABOVE = """(items, limit) => items.filter(item => {
    const box = item.getBoundingClientRect();
    return box.height && box.bottom + window.scrollY <= limit;
}).map(item => item.innerText)"""


def first_screens(browser: Browser, run: Run, folder: Path) -> list[str]:
    """The texts of a run's page that lie on its first two screens."""
    page = browser.new_page(viewport={"width": 1280, "height": HEIGHT})
    page.goto(write_report(run, folder).as_uri())
    found = page.locator(TEXTS).evaluate_all(ABOVE, 2 * HEIGHT)
    page.close()
    return found


@pytest.fixture(scope="module")
def memory() -> pd.DataFrame:
    """The published records of memory over the steps."""
    frame = load(open_run(PUBLISHED / "memory").folder)
    return gradients(frame[frame["status"] == "ok"])


@pytest.fixture(scope="module")
def of_memory(browser, tmp_path_factory) -> list[str]:
    """What the page of memory says first."""
    return first_screens(browser, open_run(PUBLISHED / "memory"), tmp_path_factory.mktemp("memory"))


@pytest.fixture(scope="module")
def of_noise(browser, tmp_path_factory) -> list[str]:
    """What the page of the noises says first."""
    return first_screens(browser, open_run(PUBLISHED / "noise"), tmp_path_factory.mktemp("noise"))


def says(texts: list[str], *words: str) -> bool:
    """Whether one text has all words."""
    return any(all(word in text for word in words) for text in texts)


def test_which_method_is_the_fastest_for_diagonal_noise_at_2048_steps(memory, of_memory):
    asked = memory[(memory["noise"] == "diagonal") & (memory["steps"] == 2048)]
    best = asked.loc[asked["seconds_median"].idxmin()]
    assert says(of_memory, "All cases: neural, diagonal noise")
    assert says(of_memory, "At 2,048 steps")
    assert says(of_memory, "fastest of all", best["method"], seconds(best["seconds_median"]))
    assert says(of_memory, best["method"], "fastest, exact")  # the table


def test_which_method_needs_the_least_memory(memory, of_memory):
    asked = memory[(memory["noise"] == "diagonal") & (memory["steps"] == 2048)]
    best = asked.loc[asked["peak_bytes"].idxmin()]
    assert says(of_memory, "the smallest peak memory is", size(best["peak_bytes"]), best["method"])


def test_whether_the_bias_of_an_adjoint_is_visible_at_128_steps(of_noise):
    assert says(of_noise, "A bias is visible beside the scheme's own error at 128 steps", "/adjoint")


def test_what_the_machine_did_wrong(of_memory, of_noise):
    for texts in (of_memory, of_noise):
        assert says(texts, "check", "machine", "Every case had its core to itself")
    assert says(
        of_memory,
        "waited for a core for more than 2% of their time",
        "the machine's speed changed by",
    )


def test_how_to_run_it_again(of_memory, of_noise):
    assert says(of_memory, "To measure it again", "python -m harness run suites/memory.yaml")
    assert says(of_noise, "To measure it again", "python -m harness run suites/noise.yaml")
