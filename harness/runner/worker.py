"""The parent's side of a child: requests with a time limit, and a watch on its memory."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import types
from collections.abc import Callable, Generator
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Concatenate, Generic, ParamSpec, TypeVar

import psutil

from harness.runner.child import Answer, serve
from harness.runner.orphans import end_tree, name_run

WATCH_SECONDS = 0.1


class CaseFailure(Exception):  # noqa: N818 - a failure is an outcome of a case
    """A child couldn't answer. `status` is a record's, the message its reason."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")


class Worker(Generic[T]):
    """A child process that holds one target (`harness.runner.child`) and does what is asked of it.

    `make` makes the target in the child: a function that can be pickled, such as a class or a partial of one. Raises
    CaseFailure where no child can be started.
    """

    def __init__(
        self,
        context: ForkServerContext,
        make: Callable[[], T],
        *,
        timeout: float,
        memory: int,
        log: Path | None = None,
    ) -> None:
        self._timeout = timeout
        self._memory = memory
        try:
            self._connection, theirs = context.Pipe()
            self._process = context.Process(
                target=serve, args=(theirs, make, None if log is None else str(log)), daemon=True
            )
            with theirs, _no_main_module():
                self._process.start()
        except (EOFError, OSError) as error:
            raise CaseFailure("failed", f"no child could be started: {error or type(error).__name__}") from error

    def call(self, method: Callable[Concatenate[T, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The answer of a method of the target's class. Raises CaseFailure.

        It does where the method fails, takes too long or too much, or the child dies.
        """
        name = method.__name__
        try:
            self._connection.send((name, args, kwargs))
        except OSError as error:
            raise CaseFailure("failed", self._obituary()) from error
        deadline = time.monotonic() + self._timeout
        while not wait([self._connection, self._process.sentinel], WATCH_SECONDS):
            if time.monotonic() > deadline:
                self.close()
                raise CaseFailure("timeout", f"{name} took longer than {self._timeout:g} s")
            used = self._resident_bytes()
            if used > self._memory:
                self.close()
                raise CaseFailure(
                    "out-of-memory",
                    f"{name} used {used / 2**30:.2f} GiB; the limit is {self._memory / 2**30:.2f} GiB",
                )
        if not self._connection.poll():  # a process that the child started may hold its end of the pipe
            raise CaseFailure("failed", self._obituary())
        try:
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise CaseFailure("failed", self._obituary()) from error
        except Exception as error:
            self.close()
            raise CaseFailure("failed", f"the child's answer can't be read: {type(error).__name__}") from error
        if not isinstance(answer, Answer):
            self.close()
            raise CaseFailure("failed", f"the child sent {type(answer).__name__} instead of an answer")
        if answer.status != "ok":
            raise CaseFailure(answer.status, answer.reason)
        return answer.value

    def close(self) -> None:
        """End the child, and what it has started."""
        if self._connection.closed:
            return
        if self._process.pid is not None:
            end_tree(self._process.pid)
        self._connection.close()  # not before: the child would end by itself, and what it has started would be lost
        self._process.join(5)

    def _resident_bytes(self) -> int:
        try:
            return psutil.Process(self._process.pid).memory_info().rss
        except psutil.Error:
            return 0

    def _obituary(self) -> str:
        self._process.join(5)
        code = self._process.exitcode
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            hint = " (the kernel does this when the machine runs out of memory)" if name == "SIGKILL" else ""
            return f"the child was ended by {name}{hint}"
        return f"the child ended with exit code {code}"


_STARTING = threading.Lock()


@contextlib.contextmanager
def _no_main_module() -> Generator[None, None, None]:
    """Children started within don't import the script that runs now, which multiprocessing has them do.

    They need nothing of it, and a script that measures at its top level would measure again in every child.
    """
    with _STARTING:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def start_server() -> ForkServerContext:
    """A fork server that has imported the frameworks. Libraries that read a thread setting at import get 1."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    name_run()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["harness.runner.preload"])
    return context
