"""Nothing that a run started outlives it: neither its children nor what they start.

The kernel ends a child when the fork server ends, and the fork server ends when the process that runs the suite does,
however it ends. The fork server then ends what the children have started. A child leads a process group of its own, so
that it is ended together with its group. Linux only, like the rest of the runner.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import signal
import sys
from multiprocessing import forkserver

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def guard_server() -> None:
    """In the fork server, once: whatever descends from it is ended when it ends.

    A descendant whose own parent is gone becomes a child of the fork server, so that it is still found.
    """
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    atexit.register(_end_descendants)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def tie_to_server() -> None:
    """In a child, first of all: it is ended when the fork server ends, and leads a process group."""
    server = os.getppid()
    os.setpgid(0, 0)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    # The fork server ends when nobody holds this pipe any more, and multiprocessing gives it to children too.
    alive = getattr(forkserver, "_forkserver", None)
    descriptor = getattr(alive, "_forkserver_alive_fd", None)
    if descriptor is not None:
        os.close(descriptor)
        setattr(alive, "_forkserver_alive_fd", None)  # noqa: B010 - a private attribute of multiprocessing
    if os.getppid() != server:  # it ended in between
        os._exit(1)


def end_tree(pid: int) -> None:
    """End a child of the fork server, its process group, and what else it has started."""
    started = _descendants(pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)  # also where the child itself has ended before its group
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)  # where it doesn't lead its group yet
    _end(started)


def _end_descendants() -> None:
    """Those of this process. What they start meanwhile is found in the next round."""
    for _ in range(100):
        left = [process for process in _descendants(os.getpid()) if process.status() != psutil.STATUS_ZOMBIE]
        if not left:
            return
        _end(left)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()  # psutil makes sure that the number hasn't gone to another process


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
