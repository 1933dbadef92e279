"""The entry points of what is installed, where packages publish plugins and models."""

from __future__ import annotations

import functools
from importlib.metadata import EntryPoint, EntryPoints, entry_points


def installed(group: str) -> tuple[EntryPoint, ...]:
    """Those of a group."""
    return tuple(_all().select(group=group))


@functools.cache
def _all() -> EntryPoints:
    """Looked for once in a process: a file of every distribution is read for it."""
    return entry_points()
