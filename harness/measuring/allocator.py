"""The C library's allocator in the child that measures."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3), glibc
_MOST = 2**31 - 1  # free bytes at the top of the heap, beyond which they are given back: an int's greatest
_LARGEST_ON_HEAP = 32 * 2**20  # bytes; glibc takes no more for this one


def keep_freed_memory() -> bool:
    """Freed memory stays with the process, to be used again. Returns whether the allocator could be told so.

    glibc gives memory back to the system where enough is free at the heap's top, and gets it again page by page: that
    can take as long as the gradient, and what lies at the top is chance.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # not glibc
        return False
    return bool(mallopt(_TRIM_THRESHOLD, _MOST)) and bool(mallopt(_MMAP_THRESHOLD, _LARGEST_ON_HEAP))


class _Mallinfo2(ctypes.Structure):
    """`struct mallinfo2` of glibc 2.33 and later, in bytes, over all arenas."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


@functools.cache
def _mallinfo2() -> Callable[[], _Mallinfo2] | None:
    function = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if function is not None:
        function.restype = _Mallinfo2
    return function


def allocated_bytes() -> int | None:
    """The bytes that the process has allocated by malloc and not freed. None where the C library doesn't count them.

    Python's own small objects (up to 512 bytes) aren't among them: Python takes memory for these in large pieces.
    """
    function = _mallinfo2()
    if function is None:  # not glibc, or an older one
        return None
    info = function()
    return int(info.uordblks + info.hblkhd)
