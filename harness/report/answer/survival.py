"""Which methods give a gradient that can be used, where solves or gradients may fail: for each setting of a suite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from harness.grouping import KEYS, gradients, groups, telling
from harness.report.answer.contest import with_error
from harness.report.answer.names import by_approach, case_name
from harness.report.answer.question import Asked
from harness.report.answer.regimes import CHOSEN, words_of
from harness.report.format import error as errors
from harness.report.format import listing, plural
from harness.report.tables import dicts

USABLE = 0.1
"""The largest relative error of a gradient that still points the way: the step of an optimiser changes as much."""
MOST_SETTINGS = 6
"""Columns of the table: the settings with the fewest usable gradients."""


@dataclass(frozen=True, eq=False)
class Setting:
    """Records that differ in the method, its scheme, its tolerances and the size that grows.

    `cases` have a column `usable`: whether the gradient is finite and its error at most `USABLE`. Where no errors were
    measured, all that is finite counts; where some were, finite gradients without one are left out.
    """

    words: str
    cases: pd.DataFrame

    @property
    def usable(self) -> str:
        """What `usable` means, in words."""
        return f"right to {USABLE:.0%}" if self.cases["error"].notna().any() else "finite"


def settings(frame: pd.DataFrame, asked: Asked) -> list[Setting]:
    """In the order of the suite. Cases that can't be solved and floors don't count."""
    known = with_error(gradients(frame[frame["status"] != "unsupported"]))
    finite, judged = known["status"] == "ok", known["error"].notna()
    known = known.assign(usable=finite & ~(known["error"] > USABLE))
    known = known[judged | ~finite] if judged.any() else known
    varied = {*CHOSEN, *([asked.over] if asked.over else [])}
    parts = list(groups(known, varied=varied))
    places = pd.DataFrame([place for place, _ in parts], columns=[axis for axis in KEYS if axis not in varied])
    told = telling(places)
    return [Setting(", ".join(words_of(place, told)), cases) for place, cases in parts]


def survival(frame: pd.DataFrame, asked: Asked) -> list[str]:
    """A sentence a setting, and one on gradients that are finite and wrong."""
    found = settings(frame, asked)
    alike: dict[str, list[str]] = {}
    for setting in found:
        alike.setdefault(_fates(setting), []).append(setting.words)
    told = [f"With {listing(names)}, the {fates}" if any(names) else f"The {fates}" for fates, names in alike.items()]
    return [*told, *_wrong(found)]


def _fates(setting: Setting) -> str:
    """What became of the methods of a setting."""
    cases, usable = setting.cases, setting.usable
    if cases["usable"].all():
        return f"gradients of all methods are {usable}."
    if not cases["usable"].any():
        return f"gradient of no method is {usable}."
    possible = cases[cases["scheme"].isin(cases.loc[cases["usable"], "scheme"])]
    shares = possible.groupby("method", sort=False)["usable"].agg(["all", "any"])
    by_share = {
        "in every case": shares.index[shares["all"]],
        "in some": shares.index[shares["any"] & ~shares["all"]],
        "in none": shares.index[~shares["any"]],
    }
    by = f" by {listing(sorted(possible['scheme'].unique()))}" if cases["scheme"].nunique() > 1 else ""
    parts = [f"{how} from {by_approach(methods)}" for how, methods in by_share.items() if len(methods)]
    lost = sorted(set(cases["scheme"]) - set(possible["scheme"]))
    last = f" By {listing(lost)} no method that was measured gives such a gradient." if lost else ""
    return f"gradients{by} are {usable} {'; '.join(parts)}.{last}"


def _wrong(found: Sequence[Setting]) -> Iterator[str]:
    """How many gradients are finite and of no use, the worst of each setting that has some."""
    finite = wrong = 0
    worst = []
    for setting in found:
        cases = setting.cases[setting.cases["status"] == "ok"]
        bad = cases[~cases["usable"]].sort_values("error")
        finite, wrong = finite + len(cases), wrong + len(bad)
        for row in dicts(bad.tail(1)):
            at = f" at {row['steps']:,} steps" if row["stepping"] == "fixed" else ""
            where = f", {setting.words}" if setting.words else ""
            worst.append(f"{errors(row['error'])} ({case_name(row, cases)}{at}{where})")
    if wrong:
        yield (
            f"A gradient can be finite and wrong: {wrong} of {plural(finite, 'finite gradient')} differ from the"
            f" reference by more than {USABLE:.0%}, at most by {listing(worst)}."
        )


def table_of(found: Sequence[Setting]) -> pd.DataFrame:
    """A row a method, the most usable gradients first, and a column for each of the settings: usable, of all cases."""
    shown = sorted(found, key=lambda setting: setting.cases["usable"].mean())[:MOST_SETTINGS]
    columns = {
        setting.words or "all": setting.cases.groupby("method")["usable"].agg(["sum", "size"])
        for setting in found
        if setting in shown
    }
    total = pd.concat([setting.cases for setting in found]).groupby("method")["usable"].mean()
    methods = total.sort_values(ascending=False, kind="stable").index
    rows = []
    for method in methods:
        cells = {name: counts.loc[method] if method in counts.index else None for name, counts in columns.items()}
        told = {name: "" if cell is None else f"{cell['sum']} of {cell['size']}" for name, cell in cells.items()}
        rows.append({"method": method, **told})
    return pd.DataFrame(rows, columns=["method", *columns])
