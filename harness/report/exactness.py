"""How nearly each method gives the gradient of its own discrete solve: the largest error of all its cases."""

from __future__ import annotations

import pandas as pd

KEY = ["method", "dtype", "brownian"]
SETTING = ["problem", "noise", "calculus", "scheme"]
COLUMNS = [*KEY, "settings", "cases", "sizes", "theta", "y0", "where", "diverged"]


def exactness(frame: pd.DataFrame) -> pd.DataFrame:
    """A row a method and precision: the largest `adjoint_error` of θ and of y0, and where the larger of them was.

    `settings` counts the combinations of problem, noise, calculus and scheme, `cases` those at each number of steps,
    `sizes` is the span of steps, and `diverged` counts cases whose gradient isn't finite, which have no error.
    """
    rows = []
    judged = frame[(frame["approach"] != "floor") & frame["status"].isin(["ok", "diverged"])]
    for key, group in judged.groupby(KEY, sort=True):
        known = group[group["status"] == "ok"].dropna(subset=["adjoint_error_theta_median"])
        if known.empty:
            continue
        errors = known[["adjoint_error_theta_median", "adjoint_error_y0_median"]].to_numpy(dtype=float)
        worst = known.iloc[int(errors.max(axis=1).argmax())]
        calculus = "" if worst["noise"] == "none" else f" ({worst['calculus']})"
        rows.append(
            {
                **dict(zip(KEY, key, strict=True)),
                "settings": len(known.drop_duplicates(SETTING)),
                "cases": len(known),
                "sizes": f"{known['steps'].min()} to {known['steps'].max()}",
                "theta": known["adjoint_error_theta_median"].max(),
                "y0": known["adjoint_error_y0_median"].max(),
                "where": f"{worst['scheme']}, {worst['problem']} {worst['noise']}{calculus}, {worst['steps']} steps",
                "diverged": int((group["status"] == "diverged").sum()),
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)
