"""A block that is too large for all of its children to live at once is measured group by group."""

from __future__ import annotations

from collections.abc import Sequence

from harness.runner.job import CaseJob

MOST_ALIVE = 64
"""Children that measure cases at the same time. Each takes three descriptors and some 100 MB."""


def groups_of(jobs: Sequence[CaseJob], most: int) -> list[list[CaseJob]]:
    """Groups of at most `most` cases, in order. The cases of a scheme stay together if they fit into one group."""
    by_scheme: dict[str, list[CaseJob]] = {}
    for job in jobs:
        by_scheme.setdefault(job.case.scheme, []).append(job)
    groups: list[list[CaseJob]] = [[]]
    for cases in by_scheme.values():
        if groups[-1] and len(groups[-1]) + len(cases) > most >= len(cases):
            groups.append([])
        for job in cases:
            if len(groups[-1]) == most:
                groups.append([])
            groups[-1].append(job)
    return groups
