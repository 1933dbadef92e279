"""What happens when records can't be written, or when two processes want to write them."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Done, command
from executors import FakeExecutor
from faults.toys import lines, newest, run_folder, write_suite

from harness import session
from harness.errors import InputError
from harness.lock import NAME, Lock

GOOD = "return Gradient(1.0, theta, y0)"
HOLD = """
import fcntl, sys, time
file = open(sys.argv[1], "a")
fcntl.flock(file, fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a suite of three cases."""
    write_suite(tmp_path, {"second": GOOD, "third": GOOD})
    return tmp_path


def check_one_line(done: Done, *words: str) -> None:
    """The last line of what a command says is its only error, and has these words."""
    *_, line = done.stderr.splitlines()
    assert "Traceback" not in done.stderr
    assert line.startswith("error: ")
    for word in words:
        assert word in line


def test_a_full_disk_is_one_line_and_the_run_goes_on_later(folder: Path):
    """The second record finds the disk full, and a part of it is written."""
    fsync, calls = os.fsync, iter(range(100))

    def full(descriptor: int) -> None:
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith("records.jsonl") and next(calls) == 1:
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - 100)
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", full)
        done = command(folder, "run", "toy.yaml")
    assert done.returncode == 1
    check_one_line(done, "records.jsonl", "No space left on device", "--resume")
    assert command(folder, "run", "toy.yaml", "--resume").returncode == 0
    assert len(lines(folder)) == 3
    assert {row["status"] for row in newest(folder).values()} == {"ok"}


def test_a_folder_that_is_moved_away_is_one_line(folder: Path):
    """It is moved by a method, and put back before the run goes on."""
    runs, away = str(folder / "results/toy"), str(folder / "away")
    write_suite(folder, {"mover": f"for run in Path({runs!r}).iterdir():\n    run.rename({away!r})\n{GOOD}"})
    done = command(folder, "run", "toy.yaml")
    assert done.returncode == 1
    check_one_line(done, "is gone", "put it back")
    (folder / "away").rename(folder / "results/toy/2026-01-01T00-00-00Z")
    write_suite(folder, {"mover": GOOD})
    assert command(folder, "run", "toy.yaml", "--resume", "--retry-failed").returncode == 0
    assert set(newest(folder)) == {"good", "mover"}


def test_a_run_is_measured_by_one_process_at_a_time(folder: Path):
    """Another process has the lock: a new run may start, the same one may not go on."""
    assert command(folder, "run", "toy.yaml", "--only", "method=toy/good").returncode == 0
    holder = [sys.executable, "-c", HOLD, str(run_folder(folder) / NAME)]
    with subprocess.Popen(holder, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        done = command(folder, "run", "toy.yaml", "--resume")
        other.kill()
    assert done.returncode == 2
    check_one_line(done, "is being measured by another process", "wait until it ends")
    assert len(lines(folder)) == 1
    assert command(folder, "run", "toy.yaml", "--resume").returncode == 0  # the lock of a dead process counts nothing
    assert len(lines(folder)) == 3


def test_a_lock_says_who_holds_it_and_is_released(tmp_path: Path):
    held = Lock(tmp_path)
    with pytest.raises(InputError, match=f"process {os.getpid()} on "):
        Lock(tmp_path)
    held.release()
    Lock(tmp_path).release()


def test_a_file_system_without_locks_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def flock(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", flock)
    Lock(tmp_path).release()


def test_a_run_is_locked_while_it_is_measured(tmp_path: Path):
    """And free afterwards, also where it was interrupted."""
    suite = {
        "name": "toy",
        "title": "Toys",
        "grid": [{"problem": "linear", "noise": "none", "method": ["torch/floor", "jax/floor"]}],
        "measure": ["time"],
    }
    planned = session.plan(session.resolve(session.read(suite)))
    opened = session.open_run(planned, results=tmp_path)
    with pytest.raises(InputError, match="another process"):
        session.open_run(planned, results=tmp_path, resume=True)
    session.execute(opened, executor=FakeExecutor(interrupt_after=1))
    again = session.open_run(planned, results=tmp_path, resume=True)
    assert len(again.work.cases) == 1
    again.lock.release()
