"""How a library's refusal of a scheme is said."""

from __future__ import annotations

from collections.abc import Mapping

from harness.case import Case
from harness.methods._support import whole_observations


def scheme_refusal(library: str, solvers: Mapping[str, str], case: Case) -> str | None:
    """Why the library has no solver for the case's scheme, or can't observe where the case does; None where it can."""
    if case.scheme not in solvers:
        return f"{library} has no {case.scheme}; it has {', '.join(solvers)}"
    return whole_observations(case)
