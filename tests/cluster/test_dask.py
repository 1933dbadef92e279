"""A Dask scheduler and two workers, as a user starts them. One worker is killed; then a run is interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from faults.test_orphans import marked, soon
from faults.toys import newest, write_suite

SLOW = "time.sleep(0.1)\nreturn Gradient(1.0, theta, y0)"
SIZES = (4, 8, 16)


@contextmanager
def started(folder: Path, log: str, *arguments: str, mark: str = "") -> Generator[subprocess.Popen[bytes], None, None]:
    """A Python program in a folder, ended at the end. `mark` stands in the environment of all that it starts.

    A test process that was itself started to ignore Ctrl-C would hand that down.
    """
    program = ["env", "--default-signal=INT", sys.executable, "-m", *arguments]
    with (folder / log).open("wb") as file:
        process = subprocess.Popen(program, cwd=folder, env={**os.environ, "MARK": mark}, stdout=file, stderr=file)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def worker(folder: Path, name: str) -> tuple[str, ...]:
    """The arguments of a worker that shares its machine, and is no nanny's child, so that its process is known."""
    place = ("--scheduler-file", "scheduler.json", "--name", name, "--no-nanny", "--no-dashboard", "--nthreads", "1")
    return ("distributed.cli.dask_worker", *place, "--resources", "BLOCK=1 SHARED=1", "--local-directory", str(folder))


def executions(folder: Path) -> set[int]:
    """The entries of `run.json` that have measured something."""
    paths = sorted((folder / "results" / "toy").glob("*/records.jsonl"))
    return {json.loads(line)["execution"] for line in paths[-1].read_text().splitlines()} if paths else set()


def test_a_run_on_two_workers_of_which_one_is_killed(tmp_path: Path):
    """Every case is measured and both environments are recorded. Nothing that a dead worker or a run started stays."""
    write_suite(
        tmp_path, {"slow": SLOW}, steps=str(list(SIZES)), measure="[time, memory]", budget="{rounds: 5, timeout: 60}"
    )
    run = ("harness", "run", "toy.yaml", "--executor", "dask", "--scheduler", "scheduler.json")
    with ExitStack() as stack:
        scheduler = ("distributed.cli.dask_scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard")
        stack.enter_context(started(tmp_path, "scheduler.log", *scheduler, "--scheduler-file", "scheduler.json"))
        marks = {name: f"{name} of {tmp_path}" for name in ("one", "two")}
        workers = {
            name: stack.enter_context(started(tmp_path, f"{name}.log", *worker(tmp_path, name), mark=mark))
            for name, mark in marks.items()
        }
        assert soon(lambda: all("Registered" in (tmp_path / f"{name}.log").read_text() for name in workers), 60)

        command = stack.enter_context(started(tmp_path, "run.log", *run))
        assert soon(lambda: executions(tmp_path) == {0, 1}, 120), (tmp_path / "run.log").read_text()
        assert len(marked(marks["one"])) >= 4  # the worker, its process, the fork server, a child
        workers["one"].send_signal(signal.SIGKILL)
        workers["one"].wait()
        assert soon(lambda: not marked(marks["one"]), 2), marked(marks["one"])
        assert command.wait(120) == 0, (tmp_path / "run.log").read_text()

        printed = (tmp_path / "run.log").read_text()
        (folder,) = (tmp_path / "results" / "toy").iterdir()
        rows = {row["case"]: row for row in map(json.loads, (folder / "records.jsonl").read_text().splitlines())}
        assert [row["status"] for row in rows.values()] == ["ok"] * 2 * len(SIZES)
        assert all(row["pending"] == [] and row["peak_bytes"] is not None for row in rows.values())
        assert f"[{2 * len(SIZES)}/{2 * len(SIZES)}] ok" in printed
        assert "worker one on " in printed
        assert " died. The block that it measured is measured again" in printed
        about = json.loads((folder / "run.json").read_text())["executions"]
        assert {one["worker"] for one in about} == {"one", "two"}
        assert all(one["shared"] and one["host"] and one["packages"]["torch"] for one in about)
        assert (tmp_path / "report" / "toy.html").is_file()
        assert newest(tmp_path)["slow"]["host"] == about[0]["host"]

        write_suite(  # which takes long enough to be interrupted
            tmp_path, {"slow": SLOW}, steps=str(list(SIZES)), measure="[time]", budget="{rounds: 100, precision: 1e-9}"
        )
        interrupted = stack.enter_context(started(tmp_path, "interrupted.log", *run, "--only", "method=toy/slow"))
        assert soon(lambda: len(list((tmp_path / "results" / "toy").glob("*/run.json"))) == 2, 60)
        assert soon(lambda: len(marked(marks["two"])) >= 3, 60)  # the worker, its process, the fork server
        interrupted.send_signal(signal.SIGINT)
        assert interrupted.wait(30) == 130, (tmp_path / "interrupted.log").read_text()
        assert soon(lambda: marked(marks["two"]) == [workers["two"].pid], 2), marked(marks["two"])
