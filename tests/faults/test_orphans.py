"""Nothing that a run has started outlives it, and a child that is gone is noticed whoever holds its pipe."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psutil
from commands import command
from faults.toys import newest, write_suite

GOOD = "return Gradient(1.0, theta, y0)"


def spawn(mark: str, *, session: bool = False, then: str = "") -> str:
    """A gradient whose first call starts a process that sleeps, in a session of its own or not, and does more."""
    start = f"subprocess.Popen(['sleep', '1000'], env={{'MARK': '{mark}'}}, start_new_session={session})"
    lines = ["if not STARTED:", "    STARTED.append(1)", *(f"    {line}" for line in (start, *then.splitlines())), GOOD]
    return "\n".join(lines)


def marked(mark: str) -> list[int]:
    """The processes in whose environment the mark stands, but for those that have ended and wait for their parent."""
    found: list[int] = []
    for process in psutil.process_iter():
        try:
            if mark in process.environ().get("MARK", "") and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def soon(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether it comes true within so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return holds()


def test_what_a_method_starts_ends_with_its_case(tmp_path: Path):
    """Also where it forks and ends, so that a process that isn't the child holds the pipe; this is no timeout."""
    mark = uuid.uuid4().hex
    write_suite(
        tmp_path,
        {
            "group": spawn(mark),
            "session": spawn(mark, session=True),
            "forks": spawn(mark, then="if os.fork():\n    os._exit(0)\ntime.sleep(1000)"),
            "twice": spawn(mark, then="os.fork()"),
        },
        budget="{rounds: 1, timeout: 30}",
    )
    start = time.monotonic()
    done = command(tmp_path, "run", "toy.yaml")
    assert time.monotonic() - start < 25
    assert done.returncode == 1, done.stderr
    found = newest(tmp_path)
    assert {name: row["status"] for name, row in found.items()} == {
        "good": "ok",
        "group": "ok",
        "session": "ok",
        "forks": "failed",
        "twice": "ok",
    }
    assert "exit code 0" in found["forks"]["reason"]
    assert soon(lambda: not marked(mark), 2), marked(mark)


def test_a_killed_run_leaves_nothing(tmp_path: Path):
    """Neither the child that hangs, nor what it has started, nor the fork server."""
    mark = uuid.uuid4().hex
    write_suite(
        tmp_path,
        {
            "hangs": spawn(
                mark,
                session=True,
                then="if os.fork() == 0:\n    os.setsid()\n    if os.fork():\n        os._exit(0)\n"
                "    time.sleep(1000)\nPath('hangs').touch()\n"
                "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 30))\ntime.sleep(1000)",
            )
        },
    )
    # The command, the fork server, the tracker, the child, and what the child has started.
    check_killed(tmp_path, mark, tmp_path / "hangs", least=5)


def test_a_run_that_is_killed_while_its_fork_server_imports_leaves_nothing(tmp_path: Path):
    write_suite(tmp_path)
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "torch.py").write_text("import time\nfrom pathlib import Path\nPath('imports').touch()\ntime.sleep(1000)\n")
    path = os.pathsep.join(filter(None, [str(slow), os.environ.get("PYTHONPATH")]))
    check_killed(tmp_path, uuid.uuid4().hex, tmp_path / "imports", least=3, PYTHONPATH=path)


def check_killed(folder: Path, mark: str, there: Path, *, least: int, **variables: str) -> None:
    """Run the suite until a file is there and so many processes are alive, and kill it: none is alive soon."""
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", "run", "toy.yaml"],
        cwd=folder,
        env={**os.environ, "MARK": mark, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert soon(there.exists, 60)
        assert len(marked(mark)) >= least
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert soon(lambda: not marked(mark), 2), marked(mark)
    finally:
        process.kill()
        process.wait()
        for pid in marked(mark):
            os.kill(pid, signal.SIGKILL)


def test_a_fork_server_ends_with_its_parent_while_it_imports(tmp_path: Path):
    """It imports the frameworks for seconds, and doesn't look after its parent meanwhile."""
    mark = uuid.uuid4().hex
    (tmp_path / "server.py").write_text(
        "import time\nfrom pathlib import Path\nfrom harness.runner.orphans import ended_with_run\n"
        "with ended_with_run():\n    Path('imports').touch()\n    time.sleep(1000)\n"
    )
    start = (
        "import subprocess, sys\nfrom harness.runner.orphans import name_run\n"
        "name_run()\nsubprocess.run([sys.executable, 'server.py'])"
    )
    process = subprocess.Popen([sys.executable, "-c", start], cwd=tmp_path, env={**os.environ, "MARK": mark})
    try:
        assert soon((tmp_path / "imports").exists, 30)
        process.kill()
        process.wait()
        assert soon(lambda: not marked(mark), 2), marked(mark)
    finally:
        for pid in marked(mark):
            os.kill(pid, signal.SIGKILL)
