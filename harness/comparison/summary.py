"""A comparison in words and in a few rows."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from harness.comparison.quantities import quantities
from harness.comparison.verdict import BETTER, SAME, UNCLEAR, WORSE
from harness.frames import geometric_mean
from harness.report.format import plural, text

if TYPE_CHECKING:
    from harness.comparison.changes import Comparison

VERDICTS = (WORSE, BETTER, SAME, UNCLEAR)
LABELS = {quantity.name: quantity.label for quantity in quantities()}
STEADY = 0.03
"""By so much the machine's own speed may differ without a word."""
SUMMARY = ["quantity", "method", "cases", "mean", "least", "greatest", *VERDICTS]


def summary(changes: pd.DataFrame) -> pd.DataFrame:
    """A row a quantity and method: the geometric mean of the ratios, the least, the greatest, and the verdicts' counts.

    Ratios of 0 and infinity, of errors that appeared or vanished, are left out of the mean.
    """
    rows = []
    for (quantity, method), group in changes.groupby(["quantity", "method"], sort=False):
        ratios = group["ratio"]
        finite = ratios[(ratios > 0) & np.isfinite(ratios)]
        verdicts = Counter(group["verdict"])
        rows.append(
            {
                "quantity": quantity,
                "method": method,
                "cases": len(group),
                "mean": geometric_mean(finite) if len(finite) else math.nan,
                "least": ratios.min(),
                "greatest": ratios.max(),
                **{name: verdicts[name] for name in VERDICTS},
            }
        )
    return pd.DataFrame(rows, columns=SUMMARY)


def sentences(comparison: Comparison) -> list[str]:
    """What was compared, what differs around it, and how many changes there are."""
    return [*_cases(comparison), *_machine(comparison), *_counts(comparison), *_statuses(comparison)]


def _cases(comparison: Comparison) -> list[str]:
    alone = [
        f"{count:,} only in {run.folder.name}"
        for count, run in ((comparison.only_before, comparison.before), (comparison.only_after, comparison.after))
        if count
    ]
    common = comparison.changes["case"].nunique()
    return [f"{plural(common, 'case')} measured in both runs{''.join(f'; {words}' for words in alone)}."]


def _machine(comparison: Comparison) -> list[str]:
    found = []
    if comparison.other_machines:
        before, after = comparison.other_machines
        found.append(
            f"Beware: the runs are of two kinds of machine ({before} before, {after} after). Times of different"
            " machines aren't judged unless you ask for it (--across-machines)."
        )
    ratio = comparison.machine_ratio
    if ratio is not None and abs(math.log(ratio)) > STEADY:
        speed = f"{ratio:.2f} times as long" if ratio > 1 else f"{1 - ratio:.0%} less time"
        found.append(
            f"Beware: the machine itself changed. A fixed calculation took {speed} in the later run."
            + ("" if comparison.relative_to else " Compare times relative to a method whose code didn't change.")
        )
    if comparison.relative_to:
        found.append(f"Times are divided by those of {comparison.relative_to} in the same rounds.")
    return found


def _counts(comparison: Comparison) -> list[str]:
    changes, found = comparison.changes, []
    for quantity in dict.fromkeys(changes["quantity"]):
        of = changes[changes["quantity"] == quantity]
        verdicts = Counter(of["verdict"])
        within = int((np.abs(np.log(of["ratio"].replace(0, np.nan))) <= math.log1p(comparison.threshold)).sum())
        told = ", ".join(f"{verdicts[name]} {name}" for name in VERDICTS if verdicts[name])
        most = f"{100 * comparison.threshold:.3g}%"
        found.append(f"{LABELS[quantity]}: {told}. {within} of {len(of)} values changed by no more than {most}.")
        remarks = Counter(remark for remark in of.loc[of["verdict"] == UNCLEAR, "remark"] if remark)
        found += [f"{LABELS[quantity]}, not judged: {remark} ({count})." for remark, count in remarks.most_common()]
    return found


def _statuses(comparison: Comparison) -> list[str]:
    counts = Counter((row.before, row.after) for row in comparison.statuses.itertuples())
    return [
        f"{plural(count, 'case')} became {text(after)} after {text(before)}."
        for (before, after), count in counts.items()
    ]
