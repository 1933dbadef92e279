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
import threading
from collections.abc import Callable, Generator
from multiprocessing import forkserver
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
WATCH_SECONDS = 0.2
_RUN = "GRADIENT_HARNESS_RUN"
"""The environment variable that holds the id of the process that started the fork server."""


def name_run() -> None:
    """In the process that starts the fork server: tell it whose it is."""
    os.environ[_RUN] = str(os.getpid())


def guard_server() -> None:
    """In the fork server, once it has imported: from now on it notices itself that the run ends.

    Whatever descends from it is ended when it ends. A descendant whose own parent is gone becomes a child of the fork
    server, so that it is still found.
    """
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    atexit.register(_end_descendants)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


@contextlib.contextmanager
def ended_with_run() -> Generator[None, None, None]:
    """In the fork server, while it imports for seconds: it is ended when its parent ends.

    Later it looks by itself. The kernel could end it, but would do so already when the thread ends that started it.
    """
    run, imported = os.environ.get(_RUN), threading.Event()

    def watch() -> None:
        while not imported.wait(WATCH_SECONDS):
            if run != str(os.getppid()):
                os._exit(1)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        imported.set()
        thread.join()  # a process that forks should have one thread


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


def tie_to(parent: int) -> None:
    """In a process that the process `parent` has started, first of all: it is ended when that one ends.

    If a thread has started it, it is ended when the thread ends.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended in between
        os._exit(1)


def end_tree(pid: int) -> None:
    """End a child of the fork server, its process group, and what else it has started."""
    started = _descendants(pid)
    _kill(os.killpg, pid)  # also where the child itself has ended before its group
    for one in (pid, *started):
        _kill(os.kill, one)


def _end_descendants() -> None:
    """Those of this process. What they start meanwhile is found in the next round."""
    for _ in range(100):
        left = _descendants(os.getpid())
        if not left:
            return
        for one in left:
            _kill(os.kill, one)


def _descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have, but for those that have ended."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                # pid (name) state parent …, and the name may hold anything
                state, parent = Path(f"/proc/{entry}/stat").read_bytes().rpartition(b")")[2].split()[:2]
                if state not in (b"Z", b"X"):
                    children.setdefault(int(parent), []).append(int(entry))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        started = children.get(waiting.pop(), [])
        found += started
        waiting += started
    return found


def _kill(send: Callable[[int, int], None], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        send(number, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
