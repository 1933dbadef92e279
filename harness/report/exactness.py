"""How nearly each method gives the gradient of its own discrete solve: the largest error of all its cases."""

from __future__ import annotations

import pandas as pd

from harness.grouping import HOW, WHAT, gradients, groups, telling, words
from harness.report.tables import dicts

KEY = ["method", *HOW]
SETTING = [axis for axis in WHAT if axis != "steps"]
PLACE = ["scheme", "problem", "noise", "calculus", "steps"]
"""What always tells where an error was; other axes do where they have to."""
COLUMNS = [*KEY, "settings", "cases", "sizes", "theta", "y0", "where", "diverged"]


def exactness(frame: pd.DataFrame) -> pd.DataFrame:
    """A row a method and way of computing (`HOW`): the largest `adjoint_error` of θ and y0, and where the larger was.

    `settings` counts the combinations of all other axes but the steps, `cases` those at each number of steps,
    `sizes` is the span of steps, and `diverged` counts cases whose gradient isn't finite, which have no error.
    """
    rows = []
    judged = gradients(frame[frame["status"].isin(["ok", "diverged"])])
    others = telling(judged, PLACE, but=KEY)
    for place, group in groups(judged, varied=WHAT, sort=True):
        known = group[group["status"] == "ok"].dropna(subset=["adjoint_error_theta_median"])
        if known.empty:
            continue
        errors = known[["adjoint_error_theta_median", "adjoint_error_y0_median"]].to_numpy(dtype=float)
        (worst,) = dicts(known.iloc[[int(errors.max(axis=1).argmax())]])
        calculus = "" if worst["noise"] == "none" else f" ({worst['calculus']})"
        where = f"{worst['scheme']}, {worst['problem']} {worst['noise']}{calculus}, {worst['steps']} steps"
        rows.append(
            {
                **place,
                "settings": len(known.drop_duplicates(SETTING)),
                "cases": len(known),
                "sizes": f"{known['steps'].min()} to {known['steps'].max()}",
                "theta": known["adjoint_error_theta_median"].max(),
                "y0": known["adjoint_error_y0_median"].max(),
                "where": ", ".join([where, *words(worst, others)]),
                "diverged": int((group["status"] == "diverged").sum()),
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)
