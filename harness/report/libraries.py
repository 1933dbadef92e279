"""The JavaScript that a page carries: Vega-Lite for its chart, DataTables for its table. Each is a module's source."""

from __future__ import annotations

import functools
import os
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cache_folder import default_cache_folder
from harness.lazy import lazily

if TYPE_CHECKING:
    import vl_convert
else:
    (vl_convert,) = lazily("vl_convert")


@functools.cache
def vega() -> str:
    """Vega, Vega-Lite and Vega-Embed. The module sets `window.vegaEmbed`.

    vl-convert puts the bundle together, which takes seconds: it is kept in the cache's folder.
    """
    path = default_cache_folder() / f"vega-{metadata.version('vl-convert-python')}.js"
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        source = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
        _keep(path, source)
        return source


@functools.cache
def data_tables() -> str:
    """DataTables with jQuery, as itables ships it. The module's default export is the class of a table."""
    return _itables("dt_bundle.js")


@functools.cache
def data_tables_style() -> str:
    """Its style sheet."""
    return _itables("dt_bundle.css")


def _itables(name: str) -> str:
    return (resources.files("itables") / "html" / name).read_text(encoding="utf-8")


def _keep(path: Path, text: str) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError:
        pass  # A cache that can't be written costs time, not results.
