"""A solve as a plain loop over its steps, by hand: what methods, problems and schemes are compared with."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from harness.scheme import AbstractScheme, State
from harness.terms import Terms


def equal_times(t0: float, t1: float, steps: int) -> np.ndarray:
    """The ends of so many equal steps, (steps + 1,)."""
    return t0 + (t1 - t0) * np.arange(steps + 1) / steps


def loop(
    scheme: AbstractScheme, terms: Terms, y0: Any, times: Iterable[float], noise: Sequence[Any] | np.ndarray | None
) -> Iterator[State[Any]]:
    """The state after each step from one of the times to the next. `noise` has that of every step; None for an ODE."""
    ends = [float(t) for t in times]
    state = scheme.init(terms, ends[0], y0)
    for n, (t, end) in enumerate(itertools.pairwise(ends)):
        state = scheme.step(terms, t, end - t, state, None if noise is None else noise[n])
        yield state


def last(scheme: AbstractScheme, terms: Terms, y0: Any, noise: Sequence[Any] | np.ndarray | None, steps: int) -> Any:
    """y at t1, (batch, dim), after equal steps over the problem's interval."""
    problem = terms.problem
    *_, (y, *_rest) = loop(scheme, terms, y0, equal_times(problem.t0, problem.t1, steps), noise)
    return y
