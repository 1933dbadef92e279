"""The entry points of what is installed, where packages publish plugins and models."""

from __future__ import annotations

import functools
from importlib.metadata import EntryPoint, entry_points


@functools.cache
def installed(group: str) -> tuple[EntryPoint, ...]:
    """Those of a group. Looked for once in a process: a file of every distribution is read for it."""
    return tuple(entry_points(group=group))
