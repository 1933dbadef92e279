"""Writes the tables of docs/results.md and docs/how-to-choose.md from the published runs: python docs/published.py

Sentences with figures are written by hand; `tests/test_published.py` says which no longer hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from harness.frames import load, speedups
from harness.grouping import gradients
from harness.report.answer.general import memory_slopes
from harness.report.exponents import exponents
from harness.report.format import NOTHING, decimal, error, seconds, size
from harness.report.ratios import ratios

ROOT = Path(__file__).parent.parent
RUNS = {path.parent.name: path for path in sorted((ROOT / "results/published").glob("*/*")) if path.is_dir()}
RESULTS, CHOICE = ROOT / "docs/results.md", ROOT / "docs/how-to-choose.md"


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
    """A row a method and scheme: peak memory at the fewest and the most steps, its exponent, time."""
    chosen = gradients(frame[frame["status"] == "ok"])
    slopes = {(row["method"], row["scheme"]): row["slope"] for row in memory_slopes(chosen).to_dict("records")}
    rows = []
    for (method, scheme), group in chosen.sort_values("steps").groupby(["method", "scheme"], sort=True):
        *_, many = records = group.to_dict("records")
        figures = size(records[0]["peak_bytes"]), size(many["peak_bytes"]), decimal(slopes[method, scheme])
        rows.append([method, scheme, *figures, seconds(many["seconds_median"])])
    return rows


def noise(frame: pd.DataFrame) -> list[list[str]]:
    """A row a method, Stratonovich: its own error on the discrete solve and that to the true gradient, by noise."""
    chosen = gradients(frame[(frame["calculus"] == "stratonovich") & (frame["status"] == "ok")])
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


def table1(frame: pd.DataFrame) -> list[list[str]]:
    """A row a method, scheme and sampler: the powers of steps and of parameters in time and memory."""
    found = exponents(frame)
    small = found[found["batch"].isin([16, 64])]  # of a batch of 512 the suite asks only what backprop stores
    rows = []
    for (method, scheme, sampler), group in small.groupby(["method", "scheme", "brownian"], sort=True):
        parts = {row["grows"]: row for row in group.to_dict("records")}
        if len(parts) == 2:
            figures = [decimal(parts[over][of]) for of in ("time", "memory") for over in ("steps", "parameters")]
            rows.append([method, scheme, sampler, *figures])
    return rows


STIFFNESS = ("van-der-pol", "van-der-pol(mu=3.0)", "van-der-pol(mu=10.0)", "van-der-pol(mu=100.0)")
"""The problems of `stiff`, in the order of their columns."""


def stiff(frame: pd.DataFrame) -> list[list[str]]:
    """A row a method of PyTorch and a scheme: the adjoint error at the most steps by problem, or what happened."""
    chosen = frame[(frame["steps"] == frame["steps"].max()) & frame["backend"].isin(["torch", "torchdiffeq"])]
    found = {(row["method"], row["scheme"], row["problem"]): row for row in _dicts(chosen)}
    cases = sorted({(method, scheme) for method, scheme, _ in found if found[method, scheme, _]["status"] == "ok"})
    return [
        [method, scheme, *(_fate(found[method, scheme, problem], found) for problem in STIFFNESS)]
        for method, scheme in cases
    ]


def _fate(row: dict[Any, Any], found: dict[tuple[str, str, str], dict[Any, Any]]) -> str:
    """Its error; else whether the scheme itself fails, as backpropagation through the same steps shows."""
    if row["status"] == "ok":
        return error(row["adjoint_error_theta_median"])
    same = found.get(("torch/backprop", row["scheme"], row["problem"]))
    return "scheme fails" if same is not None and same["status"] in ("diverged", "unstable") else "fails"


TABLES: dict[str, Callable[[pd.DataFrame], list[list[str]]]] = {
    "speed": speed,
    "memory": memory,
    "noise": noise,
    "gpu": gpu,
    "table1": table1,
    "stiff": stiff,
}


def choice(rows: list[list[str]]) -> list[list[str]]:
    """The rows of what each method costs, with peak memory and time at the most steps of the scheme that they name."""
    frame = load(RUNS["memory"])
    found = {(row["method"], row["scheme"]): row for row in _dicts(frame[frame["status"] == "ok"].sort_values("steps"))}
    made = []
    for approach, memory_in, time_in, exact, *_ in rows:
        name = approach.strip("`")
        scheme = "reversible-heun" if name == "reversible" else "heun"
        cases = [found.get((f"{backend}/{name}", scheme)) for backend in ("torch", "jax")]
        costs = ["not in this run" if row is None else ", ".join(cost(row)) for row in cases]
        made.append([approach, memory_in, time_in, exact, *costs])
    return made


def cost(row: dict[Any, Any]) -> tuple[str, str]:
    """Peak memory and time."""
    return size(row["peak_bytes"]), seconds(row["seconds_median"])


def _dicts(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    return frame.to_dict("records")


def rows_below(page: str, heading: str) -> list[list[str]]:
    """The rows of the table below a heading, as they are written."""
    lines = [line for line in _section(page, heading).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def _section(page: str, heading: str) -> str:
    (found,) = (part for part in re.split(r"^## ", page, flags=re.MULTILINE) if part.startswith(heading))
    return found


def with_rows(page: str, heading: str, rows: list[list[str]]) -> str:
    """The page with these rows in the table below a heading."""
    section = _section(page, heading)
    before, rule, after = section.partition(re.search(r"^\|[-:|]+\|$", section, flags=re.MULTILINE)[0])  # pyright: ignore[reportOptionalSubscript]
    rest = re.sub(r"\A\n(\|[^\n]*\n)*", "\n", after)
    lines = "".join(f"| {' | '.join(cells)} |\n" for cells in rows)
    return page.replace(section, f"{before}{rule}\n{lines}{rest.removeprefix(chr(10))}")


COSTS = "What each method costs"


def write() -> None:
    """All tables."""
    page = RESULTS.read_text()
    for suite, table in TABLES.items():
        page = with_rows(page, f"`{suite}`", table(load(RUNS[suite])))
    RESULTS.write_text(page)
    page = CHOICE.read_text()
    CHOICE.write_text(with_rows(page, COSTS, choice(rows_below(page, COSTS))))


if __name__ == "__main__":
    write()
