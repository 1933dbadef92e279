"""What runs in a worker of a Dask cluster: a task that starts a process, passes on its answers, and ends it."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from harness.lazy import lazily
from harness.runner.remote import DONE, IDLE_SECONDS

if TYPE_CHECKING:
    import distributed
else:
    (distributed,) = lazily("distributed")  # tests run requests without it

TOPIC = "gradient-harness"
"""All programs share the topic of events. A scheduler keeps the newest events of each topic for as long as it lives."""
LOOK_SECONDS = 0.2
END_SECONDS = 3.0
SET_BY_DASK = ("MALLOC_TRIM_THRESHOLD_",)
"""Variables that Dask sets for its own workers and that change the allocator of what is measured."""
Result: TypeAlias = tuple[str, tuple[bytes, ...]]
"""What became of the process, "" if it has done all; and the answers that weren't streamed."""


def whereabouts() -> tuple[str, str]:
    """The name of this machine, and an id that all processes share that run on its kernel, in containers or not."""
    try:
        machine = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        machine = platform.node()
    return platform.node(), machine


def perform(request: bytes, token: str, program: str, stream: bool) -> Result:
    """The task: do a request in a process of its own. Answers are sent as events at once if `stream` is set.

    `program` names who asks. Its next request is done by the same process, so that the frameworks are imported once.
    """
    worker = distributed.get_worker()
    answers: list[bytes] = []

    def wanted() -> bool:
        task = worker.state.tasks.get(token)
        running = worker.status.name in ("running", "paused", "closing_gracefully")
        return running and task is not None and task.state == "executing"

    def tell(answer: bytes) -> None:
        worker.log_event(TOPIC, {"token": token, "answer": answer})

    return KEEPER.do(program, request, tell if stream else answers.append, wanted), tuple(answers)


class Process:
    """A process that does requests, one after the other. It ends with the thread that has started it.

    If it has nothing to do for IDLE_SECONDS, it ends by itself.
    """

    def __init__(self, program: str) -> None:
        self.program = program
        self._connection, theirs = Pipe()
        command = [sys.executable, "-m", "harness.runner.remote", str(theirs.fileno()), str(os.getpid())]
        variables = {name: text for name, text in os.environ.items() if name not in SET_BY_DASK}
        with theirs:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], env=variables
            )
        self._used = time.monotonic()

    @property
    def ready(self) -> bool:
        """Whether it can do a request, and won't end before it has read it."""
        idle = time.monotonic() - self._used
        return not self._connection.closed and self._process.poll() is None and idle < IDLE_SECONDS / 2

    def do(self, request: bytes, tell: Callable[[bytes], None], wanted: Callable[[], bool]) -> str:
        """Tell the answers for as long as they are wanted. Return what became of the process, "" if it goes on."""
        try:
            self._connection.send_bytes(request)
            while wanted():
                if self._connection.poll(LOOK_SECONDS):
                    answer = self._connection.recv_bytes()
                    if answer == DONE:
                        self._used = time.monotonic()
                        return ""
                    tell(answer)
        except (EOFError, OSError):
            return _obituary(self._process.wait())
        return "it was cancelled"

    def close(self) -> None:
        """End it, in the way that lets it clean up if it does so in time."""
        self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._connection.close()


class Keeper:
    """The process of a worker. It is kept between tasks, and started by a thread that lives as long as the worker."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="gradient-harness")
        self._lock = threading.Lock()
        self._process: Process | None = None

    def do(self, program: str, request: bytes, tell: Callable[[bytes], None], wanted: Callable[[], bool]) -> str:
        """As `Process.do`, in the process that was started for the program. One request is done at a time."""
        with self._lock:
            process = self._process
            if process is None or process.program != program or not process.ready:
                self.close()
                process = self._process = self._thread.submit(Process, program).result()
            fault = process.do(request, tell, wanted)
            if fault:
                self.close()
            return fault

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.close()
            self._process = None


KEEPER = Keeper()
"""That of this worker. A worker has no other place for what outlives a task."""


def _obituary(code: int) -> str:
    if code < 0:
        return f"the process was ended by {signal.Signals(-code).name}"
    return f"the process ended with exit code {code}"
