"""How a library's refusal of a scheme is said."""

from __future__ import annotations

from collections.abc import Mapping

from harness.case import Case


def scheme_refusal(library: str, solvers: Mapping[str, str], case: Case) -> str | None:
    """Why the case's scheme isn't offered with the library here, or None. The library may have it all the same."""
    if case.scheme not in solvers:
        return f"{case.scheme} of {library} is not wrapped here; wrapped: {', '.join(solvers)}"
    return None
