"""Real children: what becomes of those that hang, crash, or take too much."""

from __future__ import annotations

import os
import signal
import time

import pytest

from harness.errors import UnsupportedError
from harness.runner.worker import CaseFailure, Worker, start_server


class Target:
    """Things that a child may do."""

    def add(self, a, b):
        return a + b

    def sleep(self, seconds):
        time.sleep(seconds)

    def take(self, size):
        self.taken = bytearray(size)
        time.sleep(30)

    def die(self):
        os.kill(os.getpid(), signal.SIGSEGV)

    def leave(self):
        os._exit(3)

    def fail(self):
        raise ValueError("no good")

    def refuse(self):
        raise UnsupportedError("not here")

    def run_out(self):
        raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes")


@pytest.fixture
def worker():
    """A child with tight limits."""
    made = Worker(start_server(), Target, timeout=5.0, memory=2**30)
    yield made
    made.close()


def test_answers(worker):
    assert worker.call(Target.add, 1, 2) == 3
    assert worker.call(Target.add, "a", "b") == "ab"


@pytest.mark.parametrize(
    ("method", "arguments", "status", "words"),
    [
        (Target.sleep, (60,), "timeout", "longer than 5 s"),
        (Target.take, (2**31,), "out-of-memory", "GiB"),
        (Target.die, (), "failed", "SIGSEGV"),
        (Target.leave, (), "failed", "exit code 3"),
        (Target.fail, (), "failed", "ValueError: no good"),
        (Target.refuse, (), "unsupported", "not here"),
        (Target.run_out, (), "out-of-memory", "RESOURCE_EXHAUSTED"),
    ],
)
def test_failures(worker, method, arguments, status, words):
    with pytest.raises(CaseFailure) as caught:
        worker.call(method, *arguments)
    assert caught.value.status == status
    assert words in caught.value.reason


def test_a_child_goes_on_after_an_exception(worker):
    with pytest.raises(CaseFailure):
        worker.call(Target.fail)
    assert worker.call(Target.add, 1, 2) == 3


def test_a_dead_child_stays_a_failure(worker):
    for _ in range(2):
        with pytest.raises(CaseFailure):
            worker.call(Target.leave)
