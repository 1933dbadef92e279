"""Takes pictures of the first screen of each published page, for the documentation: python docs/images/screens.py"""

from __future__ import annotations

import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
PAGES = HERE.parents[1] / "report" / "published"
COLORS = 64
"""Enough for a page of text and lines; a picture of all colours is three times as large."""


def take() -> None:
    """A PNG for each page, light, 1,280 by 800 pixels."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme="light")
        for path in sorted(set(PAGES.glob("*.html")) - {PAGES / "index.html"}):
            page.goto(path.as_uri())
            picture = Image.open(io.BytesIO(page.screenshot()))
            picture.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE).save(
                HERE / f"page-{path.stem}.png", optimize=True
            )
        browser.close()


if __name__ == "__main__":
    take()
