"""The page in a browser, from a file: what a person can do with it, and that nothing in its records can do harm."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from cases import small_case
from many_records import SUITE, run_of
from playwright.sync_api import Browser, Locator, Page, expect

from harness.frames import load
from harness.record import Measured, Record
from harness.report.page import write_index, write_report

HOSTILE_METHOD = "torch/<img src=x onerror=window.hacked=1>"
HOSTILE_REASON = (
    "</script><script>window.hacked=2</script> nul \0, escape \x1b[31m, turned \u202eback\u202c, \"quoted\", 'so'"
)
SHOWN_REASON = (
    "</script><script>window.hacked=2</script> nul \\x00, escape \\x1b[31m, turned \\u202eback\\u202c, \"quoted\", 'so'"
)
RECORDS = 84


@pytest.fixture(scope="module")
def frame_and_path(tmp_path_factory) -> tuple[pd.DataFrame, Path]:
    """The records of a run with hostile texts, and its page."""
    folder = tmp_path_factory.mktemp("run")
    title = "How <b>large</b> is </title><script>window.hacked=3</script> a page?"
    run = run_of(folder / "results", RECORDS, SUITE.replace("How large is a page of many records?", title))
    for status, reason in (("failed", HOSTILE_REASON), ("unsupported", "=1+1, this <i>can't</i> be done")):
        case = small_case(method=HOSTILE_METHOD, steps=32 if status == "failed" else 64, dim=1, batch=1)
        run.append(Record(run=run.id, suite="many", case=case, status=status, reason=reason))
    measured = Measured(
        seconds=(1e-3, 1.1e-3),
        repeats=1,
        peak_bytes=5,
        pairing="alone",
        gradient_error_theta=(1.0,),
        reference_error=0.5,
    )
    case = small_case(method=HOSTILE_METHOD, steps=128, dim=1, batch=1)
    run.append(Record(run=run.id, suite="many", case=case, status="ok", measured=measured))
    return load(run.folder), write_report(run, folder / "report")


@pytest.fixture(scope="module")
def frame(frame_and_path) -> pd.DataFrame:
    """The records."""
    return frame_and_path[0]


@pytest.fixture(scope="module")
def problems() -> list[str]:
    """What went wrong in the browser: requests, errors, dialogs."""
    return []


def opened(browser: Browser, address: str, problems: list[str]) -> Page:
    """A page whose problems are noted."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.on("request", lambda request: None if local(request.url) else problems.append(request.url))
    page.goto(address)
    page.wait_for_selector("#explore[data-ready]", state="attached")
    return page


def local(address: str) -> bool:
    """Whether a request stays within the page's file."""
    return address.startswith(("file:", "blob:", "data:"))


@pytest.fixture(scope="module")
def shared(frame_and_path, browser, problems) -> Page:
    """One page for all tests."""
    return opened(browser, frame_and_path[1].as_uri(), problems)


@pytest.fixture
def page(shared: Page, problems: list[str]) -> Iterator[Page]:
    """The page as it is at first; nothing went wrong in it, whatever a test did."""
    shared.evaluate("location.hash = '#explore?'")
    expect(part(shared, "count")).to_have_text(f"{RECORDS + 3} of {RECORDS + 3} records")
    shared.emulate_media(color_scheme="light", media="screen")
    yield shared
    assert not problems
    assert shared.evaluate("window.hacked") is None


def part(page: Page, name: str) -> Locator:
    """A part of the section "Explore"."""
    return page.locator(f"#explore [data-part={name}]")


def column(page: Page, heading: str) -> list[str]:
    """What the table shows in a column, on its first page."""
    headings = page.locator("#records thead tr:first-child th").all_inner_texts()
    place = [text.strip() for text in headings].index(heading)
    return page.locator(f"#records tbody td:nth-child({place + 1})").all_inner_texts()


def heading(page: Page, name: str) -> Locator:
    """What a person presses to sort."""
    return page.locator("#records thead tr:first-child th", has_text=name).first


def points(page: Page, count: int) -> None:
    """Wait until the chart has so many points."""
    expect(part(page, "canvas")).to_have_attribute("data-points", str(count))


def test_the_table_sorts_and_what_is_missing_comes_last(page, frame):
    heading(page, "build").click()
    expect(heading(page, "build")).to_have_attribute("aria-sort", "ascending")
    least = frame.sort_values("compile_seconds")["method"].head(25).tolist()
    assert column(page, "method") == least
    heading(page, "build").click()
    greatest = frame.sort_values("compile_seconds", ascending=False)["method"].head(25).tolist()
    assert column(page, "method") == greatest
    assert "order=-compile_seconds" in page.url


def test_errors_that_are_not_resolved_are_faint(page):
    expect(page.locator("#records tbody td.faint")).to_have_count(0)
    page.get_by_label("Search", exact=True).fill("onerror ok")
    expect(page.locator("#records tbody td.faint")).to_have_text(["1.0e+0"])


def test_the_keyboard_sorts(page):
    page.locator("#records thead tr:first-child th [role=button]").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#records thead tr:first-child th").first).to_have_attribute("aria-sort", "ascending")


def test_words_filter_the_table_and_the_chart(page, frame):
    page.get_by_label("Search", exact=True).fill("torchsde 128")
    found = frame[(frame["backend"] == "torchsde") & (frame["steps"] == 128)]
    expect(part(page, "count")).to_have_text(f"{len(found)} of {len(frame)} records")
    points(page, len(found))


def test_ticks_filter(page, frame):
    backends = page.locator("#explore details.ticks", has_text="backend").first
    backends.locator("summary").click()
    backends.get_by_role("button", name="None").click()
    backends.get_by_label("jax").check()
    found = frame[frame["backend"] == "jax"]
    expect(part(page, "count")).to_have_text(f"{len(found)} of {len(frame)} records")
    points(page, len(found))
    page.keyboard.press("Escape")
    expect(backends.locator("summary")).to_be_focused()


@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        ("time of forward and gradient", "< 1 ms", lambda f: f["seconds_median"] < 1e-3),
        ("time of forward and gradient", "500us..2 ms", lambda f: f["seconds_median"].between(5e-4, 2e-3)),
        ("peak memory", ">= 100 KiB", lambda f: f["peak_bytes"] >= 100 * 1024),
        ("steps", "64", lambda f: f["steps"] == 64),
        ("method", "SDE adj", lambda f: f["method"] == "torchsde/adjoint"),
    ],
)
def test_a_column_filters(page, frame, name, text, kept):
    page.get_by_label(f"Filter {name}", exact=True).fill(text)
    expect(part(page, "count")).to_have_text(f"{kept(frame).sum()} of {len(frame)} records")


def test_a_condition_that_is_none_is_marked_and_filters_nothing(page, frame):
    entry = page.get_by_label("Filter steps", exact=True)
    entry.fill("about 64")
    expect(entry).to_have_attribute("aria-invalid", "true")
    expect(part(page, "count")).to_have_text(f"{len(frame)} of {len(frame)} records")


def test_columns_are_chosen(page):
    columns = part(page, "columns").locator("details")
    columns.locator("summary").click()
    columns.get_by_label("problem", exact=True).check()
    assert set(column(page, "problem")) == {"neural"}
    columns.get_by_label("problem", exact=True).uncheck()
    expect(page.locator("#records thead tr:first-child th", has_text="problem")).to_have_count(0)


def test_the_chart_shows_what_is_chosen(page, frame):
    part(page, "y").select_option("gradient_error_theta_median")
    points(page, int(frame["gradient_error_theta_median"].notna().sum()))
    part(page, "x").select_option("seconds_median")
    part(page, "color").select_option("backend")
    part(page, "facet").select_option("steps")
    expect(part(page, "legend").locator("button")).to_have_count(frame["backend"].nunique())
    titles = [f"steps {value}" for value in sorted(frame["steps"].unique())]
    for title in titles:
        expect(part(page, "canvas").get_by_text(title, exact=True)).to_have_count(1)
    part(page, "logy").uncheck()
    assert "logy=0" in page.url


def test_hover_names_the_case(page, frame):
    mark = page.locator("#explore .mark-symbol path").first
    mark.hover(force=True)
    card = part(page, "card")
    expect(card).to_be_visible()
    text = card.inner_text()
    (record,) = frame[frame["case"].map(lambda case: case in text)].to_dict("records")
    assert record["method"] in text
    assert f"{record['steps']}" in text
    page.mouse.move(2, 2)
    expect(card).to_be_hidden()


def test_a_click_isolates_a_series(page):
    legend = part(page, "legend")
    legend.get_by_role("button", name="jax/adjoint").click()
    pressed = legend.locator("button[aria-pressed=true]")
    expect(pressed).to_have_text(["jax/adjoint"])
    assert "only=jax%2Fadjoint" in page.url
    marks = page.locator("#explore .mark-symbol path")
    strong = page.locator("#explore .mark-symbol path[aria-label^='jax/adjoint']")
    assert set(strong.evaluate_all("paths => paths.map(path => path.getAttribute('opacity') ?? '1')")) == {"1"}
    assert "0.1" in set(marks.evaluate_all("paths => paths.map(path => path.getAttribute('opacity'))"))
    pressed.click()
    expect(pressed).to_have_count(0)
    marks.first.click(force=True)
    expect(pressed).to_have_count(1)


def test_a_link_opens_the_same_view(page, frame, browser, problems, frame_and_path):
    part(page, "y").select_option("seconds_median")
    part(page, "x").select_option("dim")
    part(page, "facet").select_option("")
    page.get_by_label("Filter steps", exact=True).fill("<= 64")
    page.get_by_label("Search", exact=True).fill("jax")
    heading(page, "peak memory").click()
    part(page, "legend").get_by_role("button", name="jax/adjoint").click()
    found = frame[(frame["backend"] == "jax") & (frame["steps"] <= 64)]
    expect(part(page, "count")).to_have_text(f"{len(found)} of {len(frame)} records")
    other = opened(browser, page.url, problems)
    try:
        assert [part(other, name).input_value() for name in ("x", "y", "facet")] == ["dim", "seconds_median", ""]
        expect(part(other, "count")).to_have_text(f"{len(found)} of {len(frame)} records")
        assert column(other, "method") == column(page, "method")
        expect(part(other, "legend").locator("button[aria-pressed=true]")).to_have_text(["jax/adjoint"])
        assert (
            part(other, "chart").evaluate("node => node.getBoundingClientRect().top") < 900
        )  # it has been scrolled to
    finally:
        other.close()


def test_a_link_of_another_page_does_no_harm(page, frame):
    page.evaluate(
        "location.hash = '#explore?x=<img>&y=method&color=__proto__&where.a=1&keep.__proto__=2&order=zz&columns=zz'"
    )
    expect(part(page, "count")).to_have_text(f"{len(frame)} of {len(frame)} records")
    assert part(page, "y").input_value() == "peak_bytes"


def downloaded(page: Page, button: Locator) -> bytes:
    """What a button gives."""
    with page.expect_download() as waited:
        button.click()
    return Path(waited.value.path()).read_bytes()


def rows(content: bytes) -> list[dict[str, Any]]:
    """Of a CSV file."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def test_the_records_can_be_downloaded(page, frame):
    page.get_by_label("Search", exact=True).fill("torch/backprop")
    expect(part(page, "count")).to_contain_text("6 of")
    found = rows(downloaded(page, part(page, "csv")))
    of_method = frame[frame["method"] == "torch/backprop"].set_index("case")
    assert {row["case"] for row in found} == set(of_method.index)
    for row in found:
        assert float(row["seconds_median"]) == pytest.approx(of_method.loc[row["case"], "seconds_median"], rel=1e-8)


def test_texts_in_a_downloaded_file_are_whole(page):
    (failed,) = [row for row in rows(downloaded(page, part(page, "csv"))) if row["status"] == "failed"]
    assert (failed["reason"], failed["method"]) == (SHOWN_REASON, HOSTILE_METHOD)


def test_texts_in_a_downloaded_file_are_no_formulas(page):
    (row,) = [row for row in rows(downloaded(page, part(page, "csv"))) if row["status"] == "unsupported"]
    assert row["reason"] == "'=1+1, this <i>can't</i> be done"


def test_the_chart_can_be_downloaded(page):
    picture = downloaded(page, part(page, "svg")).decode()
    assert picture.startswith("<svg")
    assert ">torchsde/adjoint</text>" in picture  # the file has a legend
    assert downloaded(page, part(page, "png")).startswith(b"\x89PNG")


def test_each_figure_can_be_downloaded(page, frame):
    figure = page.locator("figure").first
    found = rows(downloaded(page, figure.locator("[data-download=csv]")))
    shown = frame[(frame["batch"] == 1) & (frame["noise"] == "diagonal") & frame["peak_bytes"].notna()]
    assert sorted(float(row["peak_bytes"]) for row in found) == sorted(shown["peak_bytes"])
    assert b"<svg" in downloaded(page, figure.locator("[data-download=svg]"))[:200]
    assert downloaded(page, figure.locator("[data-download=png]")).startswith(b"\x89PNG")


def test_hostile_texts_stay_texts(page):
    assert page.locator("h1").inner_text() == "How <b>large</b> is </title><script>window.hacked=3</script> a page?"
    page.get_by_label("Filter status", exact=True).fill("failed")
    assert column(page, "method") == [HOSTILE_METHOD]
    assert column(page, "reason") == [SHOWN_REASON]
    assert page.locator("#failures").inner_text().count(SHOWN_REASON) == 1
    assert page.locator("#explore img, #failures img").count() == 0
    page.get_by_label("Filter status", exact=True).fill("")
    expect(part(page, "legend").get_by_role("button", name=HOSTILE_METHOD)).to_have_count(1)


def test_dark(page):
    def brightness() -> int:
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in color.removeprefix("rgb(").removesuffix(")").split(","))

    assert brightness() > 700
    page.emulate_media(color_scheme="dark")
    assert brightness() < 100
    page.wait_for_function("document.documentElement.classList.contains('dark')")  # a listener sets it, a moment later


def test_narrow(page):
    page.set_viewport_size({"width": 360, "height": 700})
    try:
        picture = part(page, "canvas").locator("svg")
        while picture.evaluate("picture => picture.clientWidth") > 360:
            page.wait_for_timeout(20)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        for ticks in page.locator("#explore details.ticks").all():
            ticks.locator("summary").click()
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
    finally:
        page.set_viewport_size({"width": 1280, "height": 900})


def test_pictures_stay_readable_on_a_phone(page):
    """They scroll in a box of their own, by keyboard too, and their texts have at least 7 pixels."""
    page.set_viewport_size({"width": 360, "height": 700})
    try:
        boxes = page.locator("figure .picture")
        for box in boxes.all():
            assert box.evaluate("box => box.clientWidth") < 360
            assert box.evaluate("box => box.scrollWidth") >= 400
            assert box.locator("text").first.evaluate("text => text.getBoundingClientRect().height") >= 7
            box.focus()
            assert box.evaluate("box => document.activeElement === box")
        names = boxes.evaluate_all("boxes => boxes.map(box => box.getAttribute('aria-label'))")
        assert len(set(names)) == len(names) == page.locator("figure").count()
    finally:
        page.set_viewport_size({"width": 1280, "height": 900})


def test_print(page):
    page.emulate_media(media="print", color_scheme="dark")
    assert not part(page, "y").is_visible()
    assert page.locator("#records tbody tr").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_assistive_technology(page, scheme):
    page.emulate_media(color_scheme=scheme)
    assert not serious_faults(page)


def serious_faults(page: Page) -> dict[str, list[str]]:
    """What axe-core finds, by rule, with the elements."""
    found = Axe().run(page).response["violations"]
    return {
        rule["id"]: [node["html"][:200] for node in rule["nodes"]]
        for rule in found
        if rule["impact"] in ("serious", "critical")
    }


def test_the_index_filters(frame_and_path, browser, problems):
    index = frame_and_path[1].with_name("index.html")
    (index.parent / "other.html").write_text(
        frame_and_path[1].read_text().replace("&#34;many&#34;", "&#34;another&#34;")
    )
    write_index(index.parent)
    opened_index = browser.new_page()
    try:
        opened_index.goto(index.as_uri())
        rows_shown = opened_index.locator("#pages tbody tr:visible")
        expect(rows_shown).to_have_count(2)
        opened_index.get_by_label("Filter").fill("large another")
        expect(rows_shown).to_have_count(1)
        expect(opened_index.locator("#count")).to_have_text("1 of 2 pages")
        assert not serious_faults(opened_index)
    finally:
        opened_index.close()
    assert not problems


def test_figures_say_what_they_show(page):
    names = page.locator("figure svg").evaluate_all("pictures => pictures.map(p => p.getAttribute('aria-label'))")
    assert len(names) == 6  # those of the suite, and the raw samples
    assert all(name and len(name) > 100 for name in names)
