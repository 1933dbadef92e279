"""The page of a run, one file that needs no network, and the index of all pages."""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from harness.frames import UNRESOLVED, load, speedups
from harness.grouping import differing
from harness.identity import suite_of
from harness.registry import Registry
from harness.report import figures, format
from harness.report.answers import answers
from harness.report.exactness import exactness
from harness.report.exponents import FITS, exponents
from harness.report.orders import orders, tally
from harness.report.ratios import ratios
from harness.store import Run
from harness.suite import Suite

COLUMNS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("method", "method", str),
    ("scheme", "scheme", str),
    ("problem", "problem", str),
    ("noise", "noise", str),
    ("calculus", "calculus", str),
    ("dim", "dim", str),
    ("batch", "batch", str),
    ("steps", "steps", str),
    ("observations", "observations", str),
    ("dtype", "dtype", str),
    ("device", "device", str),
    ("threads", "threads", str),
    ("brownian", "brownian", str),
    ("status", "status", str),
    ("seconds_median", "time", format.seconds),
    ("seconds_low", "low", format.seconds),
    ("seconds_high", "high", format.seconds),
    ("floor_ratio", "over floor", format.ratio),
    ("compile_seconds", "build", format.seconds),
    ("first_call_seconds", "first call", format.seconds),
    ("cpu_ratio", "CPU / wall", format.ratio),
    ("peak_bytes", "peak memory", format.size),
    ("xla_temp_bytes", "XLA temporary", format.size),
    ("retained_bytes", "kept per gradient", format.size),
    ("gradient_error_theta_median", "gradient error θ", format.error),
    ("gradient_error_y0_median", "gradient error y0", format.error),
    ("reference_error", "reference bar", format.error),
    ("gradient_cosine_theta_median", "cosine θ", format.cosine),
    ("gradient_cosine_y0_median", "cosine y0", format.cosine),
    ("adjoint_error_theta_median", "adjoint error θ", format.error),
    ("adjoint_error_y0_median", "adjoint error y0", format.error),
    ("loss_error_median", "loss error", format.error),
)
"""The columns of the table of records: of the DataFrame, heading, and how a value is written. See `_columns`."""
SHOWN = {
    "ratios": ("brownian",),
    "speedups": ("scheme", "problem", "noise", "calculus", "dim", "batch", "steps", "brownian"),
    "orders": ("problem", "noise", "calculus", "scheme", "method"),
    "exponents": ("method", "scheme", "noise", "dim", "batch", "brownian"),
    "exactness": ("method", "dtype", "brownian"),
}
"""The axes that a table always has as columns. It has the others where its rows differ in them."""


@dataclass(frozen=True)
class Table:
    """A table of the page: its rows, and the axes that they differ in besides those that the template always shows.

    A row's values in these axes stand under `others`, in the same order, as text.
    """

    rows: list[dict[str, Any]]
    axes: Sequence[str]


ORDER = {"ok": 0, "unsupported": 2}
"""Of the table: what was measured, then what failed, then what can't be done."""


def write_report(run: Run, folder: Path) -> Path:
    """Write `folder/<suite>.html` and `folder/index.html`; return the page's path.

    A run of a part of the suite (`--only`) has a page of its own, `<suite>.only.html`: that of a whole run stays.
    """
    about = run.about()
    execution = about["executions"][-1]
    suite = suite_of(execution, run.folder)
    frame = load(run.folder)
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / f"{suite.name}{'.only' if only(about) else ''}.html"
    page.write_text(_render("page.html", **_content(suite, run, about, frame)), encoding="utf-8")
    write_index(folder)
    return page


def only(about: dict[str, Any]) -> list[str]:
    """What a run was restricted to, where it never was executed as a whole."""
    parts = [execution.get("only", []) for execution in about["executions"]]  # runs of earlier versions don't say
    return [] if [] in parts else sorted({text for part in parts for text in part})


def write_index(folder: Path) -> None:
    """List the pages in a folder. Each page carries what the index says of it, in a meta element."""
    entries = []
    for path in sorted(folder.glob("*.html")):
        if path.name == "index.html":
            continue
        head = path.read_text(encoding="utf-8")[:4000]
        mark = '<meta name="gradient-harness" content="'
        if mark in head:
            content = head.partition(mark)[2].partition('"')[0]
            entries.append({"file": path.name, **json.loads(html.unescape(content))})
    (folder / "index.html").write_text(_render("index.html", entries=entries), encoding="utf-8")


def _render(template: str, **content: Any) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("harness.report"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template(template).render(**content)


def _content(suite: Suite, run: Run, about: dict[str, Any], frame: pd.DataFrame) -> dict[str, Any]:
    drawn = [(figures.draw(figure, frame), figures.caption(figure)) for figure in suite.report]
    counts = Counter(frame["status"])
    fitted = _orders(suite, frame)
    name = f"{suite.name}, a part" if only(about) else suite.name
    return {
        "suite": suite,
        "run": run.id,
        "executions": about["executions"],
        "only": only(about),
        "counts": sorted(counts.items()),
        "answers": [*([tally([row["verdict"] for row in fitted.rows])] if fitted.rows else []), *answers(frame)],
        # Made by matplotlib from numbers and registered names, which it escapes.
        "figures": [(Markup(svg), words) for svg, words in drawn if svg],
        "ratios": _ratios(frame),
        "speedups": _speedups(frame),
        "orders": fitted,
        "exponents": _exponents(suite, frame),
        "exactness": _exactness(suite, frame),
        "headings": [heading for _, heading, _ in _columns(frame)],
        "rows": _rows(frame),
        "failures": _reasons(frame[~frame["status"].isin(["ok", "unsupported"])]),
        "unsupported": _reasons(frame[frame["status"] == "unsupported"]),
        "unresolved": UNRESOLVED,
        "meta": json.dumps({"name": name, "title": suite.title, "run": run.id, "cases": len(frame)}),
    }


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """A row a record: for each cell what it shows and what it sorts by; unresolved errors are marked."""
    rows = []
    columns = _columns(frame)
    for record in sorted(_dicts(frame), key=lambda record: ORDER.get(record["status"], 1)):
        cells = []
        for column, _, write in columns:
            value = record[column]
            empty = format.missing(value)
            cells.append(
                {
                    "text": write(value),
                    "sort": "" if empty else value,
                    "faint": not empty and record.get(column.replace("_median", "_resolved")) is False,
                }
            )
        rows.append({"status": record["status"], "cells": cells})
    return rows


def _columns(frame: pd.DataFrame) -> list[tuple[str, str, Callable[[Any], str]]]:
    """`COLUMNS`, with the axes that they lack and in which the records differ after the last axis that they have."""
    shown = [column for column, _, _ in COLUMNS]
    place = shown.index("brownian") + 1
    others = [(axis, axis, _text) for axis in differing(frame, but=shown)]
    return [*COLUMNS[:place], *others, *COLUMNS[place:]]


def _text(value: Any) -> str:
    """The value of an axis."""
    return format.NOTHING if pd.isna(value) else value if isinstance(value, str) else f"{value:.10g}"


def _table(
    name: str, found: pd.DataFrame, written: Mapping[str, Callable[[Any], str]], within: Sequence[str] = ()
) -> Table:
    """A table of the rows found, the columns of `written` as text. `within` is as in `differing`."""
    axes = differing(found, within=within, but=SHOWN[name])
    rows = []
    for row in _dicts(found):
        texts = {column: write(row[column]) for column, write in written.items()}
        rows.append({**row, **texts, "others": [_text(row[axis]) for axis in axes]})
    return Table(rows, axes)


def _decimals(*columns: str) -> dict[str, Callable[[Any], str]]:
    return dict.fromkeys(columns, format.decimal)


def _dicts(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _ratios(frame: pd.DataFrame) -> Table:
    written = _decimals("mean", "least", "least_low", "least_high", "greatest", "floor")
    return _table("ratios", ratios(speedups(frame)), written)


def _speedups(frame: pd.DataFrame) -> Table:
    return _table("speedups", speedups(frame), _decimals("ratio", "low", "high", "floor_ratio"))


def _orders(suite: Suite, frame: pd.DataFrame) -> Table:
    """The table of observed orders, where the suite asks for it."""
    if "orders" not in suite.tables:
        return Table([], ())
    found = orders(frame, Registry.load(suite.plugins))
    return _table("orders", found, _decimals("order", "low", "high", "theory"))


def _exponents(suite: Suite, frame: pd.DataFrame) -> Table:
    """The table of exponents, where the suite asks for it."""
    if "exponents" not in suite.tables:
        return Table([], ())
    return _table("exponents", exponents(frame), _decimals(*FITS, "memory_growth"), within=["grows"])


def _exactness(suite: Suite, frame: pd.DataFrame) -> Table:
    """The table of each method's largest error against its own discrete solve, where the suite asks for it."""
    if "exactness" not in suite.tables:
        return Table([], ())
    return _table("exactness", exactness(frame), dict.fromkeys(("theta", "y0"), format.error))


def _reasons(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """One entry a method, scheme, status and reason, with the number of cases."""
    return _dicts(frame.groupby(["status", "method", "scheme", "reason"], sort=True).size().reset_index(name="count"))
