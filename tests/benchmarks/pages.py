"""How large pages of many records are, how long writing them takes, and how soon Chromium paints them.

    PYTHONPATH=tests python tests/benchmarks/pages.py [RECORDS …]

Needs the extra `test` and Chromium. Times are of this machine: run it when nothing else does.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from many_records import run_of
from playwright.sync_api import Browser, sync_playwright

from harness.report.page import write_report

LOADS = 5
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def written(folder: Path, records: int) -> tuple[Path, float]:
    """The page of so many records, and the seconds that reading them and writing it took."""
    run = run_of(folder / "results", records)
    start = time.perf_counter()
    return write_report(run, folder / "report"), time.perf_counter() - start


def painted(browser: Browser, page: Path) -> tuple[float, float]:
    """Seconds from the start of loading to the first paint and to a chart and table that answer; medians."""
    paints, readies = [], []
    for _ in range(LOADS):
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto(page.as_uri())
        tab.wait_for_selector("#explore[data-ready]", state="attached", timeout=120_000)
        readies.append(tab.evaluate("performance.now()") / 1000)
        paints.append(tab.evaluate(PAINT) / 1000)
        tab.close()
    return median(paints), median(readies)


def main(sizes: list[int]) -> None:
    """Print a row a size."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        print("records      MB  written (s)  first paint (s)  explore ready (s)")
        for records in sizes:
            with tempfile.TemporaryDirectory() as folder:
                page, seconds = written(Path(folder), records)
                paint, ready = painted(chromium, page)
                size = page.stat().st_size / 1e6
                print(f"{records:7d}  {size:6.2f}  {seconds:11.1f}  {paint:15.2f}  {ready:17.2f}", flush=True)
        chromium.close()


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [1000, 10_000])
