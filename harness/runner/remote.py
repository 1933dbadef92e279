"""A process that works for a program on another machine: `python -m harness.runner.remote FD PID`.

A worker of a Dask cluster starts it. The worker itself can't measure: it is a daemon, whose children may have none, and
runs its tasks in threads. The process reads requests from the pipe FD and writes the answers to it. It ends if there is
no request for IDLE_SECONDS. It ends at once if the thread of the process PID ends that has started it, and so does
everything that it has started (`harness/runner/orphans.py`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from harness.errors import InputError
from harness.lazy import lazily
from harness.runner.orphans import tie_to

if TYPE_CHECKING:
    from harness.runner import request as _request
else:
    (_request,) = lazily("harness.runner.request")  # a worker imports this module for its constants alone

IDLE_SECONDS = 10.0
DONE = b""
"""What follows the answers to a request. No pickled answer is empty."""


def main() -> None:
    """Do requests until there are no more."""
    descriptor, parent = map(int, sys.argv[1:])
    tie_to(parent)
    signal.signal(signal.SIGTERM, _exit)
    os.set_inheritable(descriptor, False)
    connection = Connection(descriptor)
    sender = _request.Sender(connection)
    with contextlib.suppress(EOFError, BrokenPipeError):  # nobody asks any more
        while connection.poll(IDLE_SECONDS):
            _do(connection.recv(), sender)
            connection.send_bytes(DONE)


def _exit(number: int, frame: object) -> None:
    del frame
    sys.exit(128 + number)


def _do(request: _request.Request, sender: _request.Sender) -> None:
    """Send the answers to a request. If it can't be done, the last one says why."""
    try:
        with contextlib.closing(request.answers(sender)) as answers:
            for answer in answers:
                sender.send(answer)
    except InputError as error:
        sender.send(_request.Refused(str(error), error.detail))
    except Exception as error:
        traceback.print_exc()
        sender.send(_request.Refused(" ".join(f"{type(error).__name__}: {error}".split())))


if __name__ == "__main__":
    main()
