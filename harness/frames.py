"""Runs as tidy DataFrames: what the report, a notebook and a comparison all read."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.backend_facts import BackendFacts, stored_facts
from harness.column import UNRESOLVED
from harness.columns import COMPUTED, FACTS, MACHINE, MEASURED_LISTS, RATIOS, bar_of, ends_of
from harness.grouping import KEYS
from harness.machines import machines_of
from harness.measuring.statistics import intervals_of, ratios_of_rounds
from harness.record import STORED, Row, columns
from harness.registry import Registry
from harness.spec import base
from harness.store import Run, open_run


def load(path: str | Path | Iterable[str | Path]) -> pd.DataFrame:
    """Read the records of a run, or of several, into a DataFrame: one row per case, stored and computed columns.

    A run is given by its folder, by the folder of its suite, or by the name of its suite, which stands for the newest
    run in `results/`. If several runs measured a case on the same machine, the record of the newest run counts; the
    column `machine` distinguishes machines. `harness list columns` describes the columns. Raises InputError if there is
    no run.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    runs = [open_run(Path(item)) for item in paths]
    rows = list(_newest(runs))
    frame = pd.DataFrame([row for row, _ in rows], columns=list(columns()))
    frame["observations"] = [_observations(value) for value in frame["observations"]]
    facts = stored_facts(runs) | _installed_facts()
    declared = [facts.get(name, BackendFacts()) for name in frame["backend"]]
    frame[FACTS.name] = pd.Series(declared, index=frame.index, dtype=object)
    frame[MACHINE.name] = pd.Series([machine for _, machine in rows], index=frame.index, dtype=frame["run"].dtype)
    for column in STORED:
        if column.kind == "measured" and column.numeric:
            frame[column.name] = pd.to_numeric(frame[column.name])
    _add_statistics(frame)
    for column in RATIOS:
        frame[[column.name, *(end.name for end in ends_of(column))]] = COMPUTE[column.name](frame)
    return frame[[*columns(), *COMPUTED]]


def _newest(runs: Sequence[Run]) -> Iterable[tuple[Row, str]]:
    """The records of all runs with their machines: of each case on each machine that of the newest run."""
    ordered = sorted(runs, key=lambda run: run.id)
    rows = [run.rows() for run in ordered]
    found: dict[tuple[str, str], Row] = {}
    for of_run, machines in zip(rows, machines_of(ordered, rows), strict=True):
        found.update({(row["case"], machine): row for row, machine in zip(of_run, machines, strict=True)})
    return ((row, machine) for (_, machine), row in found.items())


def _add_statistics(frame: pd.DataFrame) -> None:
    """The median of each list, the ends of its interval, and whether an error is resolved."""
    for column in MEASURED_LISTS:
        name = column.name
        frame[name] = [value if isinstance(value, list) else [] for value in frame[name]]  # older runs lack some
        samples = [numbers(value) for value in frame[name]]
        if column.interval:
            frame[[f"{name}_median", f"{name}_low", f"{name}_high"]] = intervals_of(samples)
        else:
            frame[f"{name}_median"] = [float(np.median(values)) if values else np.nan for values in samples]
    for column in MEASURED_LISTS:
        if column.bar:
            bar = bar_of(column.name)
            if column.name != "loss_error":  # older runs hold the larger of two bars alone
                frame[bar] = frame[bar].fillna(frame["reference_error"])
            frame[f"{column.name}_resolved"] = frame[f"{column.name}_median"] > UNRESOLVED * frame[bar].fillna(0)


def _observations(value: int | list[float]) -> int | str:
    """A number of observations; times as text, which is equal where they are."""
    return value if isinstance(value, int) else f"observed at {', '.join(f'{time:.10g}' for time in value)}"


def numbers(values: list[float | None]) -> list[float]:
    """What wasn't finite is stored as null: an error without bound."""
    return [np.inf if value is None else value for value in values]


@functools.cache
def _installed_facts() -> dict[str, BackendFacts]:
    return Registry.load().backend_facts()


def paired_samples(row: pd.Series | Mapping[str, Any]) -> Sequence[float]:
    """A record's samples, to be compared round by round with those of another record of the same pairing.

    They are divided by the anchor's in the same rounds where their block was timed in several groups.
    """
    return list(ratios_of_rounds(row["seconds"], row["anchor_seconds"])) if row["anchor_seconds"] else row["seconds"]


TIMED = ("pairing", "scheme", "method", "seconds", "anchor_seconds")
"""The columns that say what was timed beside what, and how long it took."""


def _rows(frame: pd.DataFrame, columns: Sequence[str]) -> list[Row]:
    """These columns of each record."""
    values = (frame[name].tolist() for name in columns)
    return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]


def _ratios_to(baseline: str, frame: pd.DataFrame) -> np.ndarray:
    """The time of each record over that of its backend's `baseline`, a field of `BackendFacts`: the median of the
    ratios round by round, and the ends of its interval."""
    rows = _rows(frame, [*TIMED, "backend_facts"])
    samples = {(row["pairing"], row["scheme"], row["method"]): paired_samples(row) for row in rows if row["seconds"]}
    ratios = []
    for row in rows:
        own = paired_samples(row) if row["seconds"] else None
        other = samples.get((row["pairing"], row["scheme"], getattr(row["backend_facts"], baseline)))
        ratios.append(ratios_of_rounds(own, other) if other and own else [])
    return intervals_of(ratios)


COMPUTE = {
    "floor_ratio": functools.partial(_ratios_to, "floor"),
    "forward_ratio": functools.partial(_ratios_to, "forward"),
}
"""The function of each column in `RATIOS`."""


def geometric_mean(ratios: pd.Series) -> float:
    """Of positive numbers."""
    return float(np.exp(np.log(ratios).mean()))


def speedups(frame: pd.DataFrame) -> pd.DataFrame:
    """How many times faster each native method is than a library's: one row per pair of methods, block and scheme.

    `frame` is what `load` returns. The columns are `native`, `library`, all axes but the method, `ratio` with the ends
    `low` and `high` of its 95% interval, and `floor_ratio`. `ratio` is the median of the library's time divided by the
    native method's time, round by round; `floor_ratio` is the native method's time divided by the floor's. Pairs are
    those that the backends declare comparable and that were timed in turn.
    """
    timed = frame[(frame["status"] == "ok") & frame["seconds"].astype(bool)]
    axes = [axis for axis in KEYS if axis != "method"]
    records = _rows(timed, [*dict.fromkeys([*TIMED, *axes, "floor_ratio"])])
    by_key = {(row["pairing"], row["scheme"], row["method"]): row for row in records}
    samples = {key: paired_samples(row) for key, row in by_key.items()}
    same: dict[tuple[str, str, str], list[str]] = {}  # the methods of a name, whatever their options
    for pairing, scheme, method in by_key:
        same.setdefault((pairing, scheme, base(method)), []).append(method)
    comparable = dict.fromkeys(pair for facts in timed["backend_facts"].unique() for pair in facts.comparable)
    rows, ratios = [], []
    for (pairing, scheme, method), native in by_key.items():
        peers = [theirs for ours, theirs in comparable if ours == base(method)]
        for library in (name for theirs in peers for name in same.get((pairing, scheme, theirs), [])):
            ratios.append(ratios_of_rounds(samples[pairing, scheme, library], samples[pairing, scheme, method]))
            rows.append({**native, "native": method, "library": library})
    found = pd.DataFrame(rows, columns=["native", "library", *axes, "floor_ratio"])
    found[["ratio", "low", "high"]] = intervals_of(ratios)
    return found[["native", "library", *axes, "ratio", "low", "high", "floor_ratio"]]
