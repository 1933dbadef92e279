"""The accepted steps that a method reports, held against the grid of observations."""

from __future__ import annotations

import numpy as np

from harness.grid import Grid

NEAR = 1e-6
"""How far a reported time may be from the time of an observation to be that time, relative to the interval: room for
float32."""


def with_exact_ends(times: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """The times with t0 and every observation as the grid has them, and the observations' places among them.

    `times` are the ends of all steps, (steps + 1,), float64. Raises ValueError where they are not increasing, or where
    t0 or an observation isn't among them.
    """
    if times.ndim != 1 or len(times) < 2 or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise ValueError(f"given an array of shape {times.shape}; needed: two or more increasing times")
    ends = np.append(grid.t0, grid.observed_times())
    places = abs(times[:, None] - ends).argmin(axis=0)
    near = NEAR * (grid.t1 - grid.t0)
    missing = ends[abs(times[places] - ends) > near]
    if len(missing) or places[0] != 0 or places[-1] != len(times) - 1:
        wanted = f"{missing[0]:g}" if len(missing) else f"nothing before t0 = {grid.t0:g} or after t1 = {grid.t1:g}"
        raise ValueError(f"they go from {times[0]:g} to {times[-1]:g}; needed: {wanted} among them")
    exact = times.copy()
    exact[places] = ends
    if (np.diff(exact) <= 0).any():
        raise ValueError("several observations lie within one step; needed: the end of a step at each")
    return exact, places[1:]
