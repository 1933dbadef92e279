"""Kill runs at random and go on with them until they are done: nothing that was recorded is lost, and nothing lives on.

`python tests/stress/kill.py --kills 100` takes about a quarter of an hour. It ends with exit code 1 at the first fault.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import psutil

import harness
from harness.record import Measured, Row
from harness.store import RECORDS, Run, newest_run

SUITES = {
    "times": """
name: times
title: Is a time ever lost?
grid:
  - problem: neural
    noise: [none, diagonal]
    method: [torch/floor, torch/backprop, torch/checkpoint, torch/adjoint]
    dim: 2
    batch: 2
    steps: [4, 8, 16, 32, 64]
measure: [time]
budget: {rounds: 2, seconds: 1}
""",
    "errors": """
name: errors
title: Is an error ever lost?
grid:
  - problem: neural
    noise: [none, diagonal]
    method: [torch/floor, torch/backprop, torch/adjoint]
    dim: 2
    batch: 2
    steps: [4, 8, 16]
measure: [time, memory, error]
budget: {rounds: 2, seconds: 1, replicates: 2, reference_steps: 256}
""",
}
END_SECONDS = 2.0
"""So long after a kill no process of the run is alive."""
MOST_SECONDS = 300.0
"""No run takes so long without a kill."""
MEASURED = [field.name for field in dataclasses.fields(Measured)]


@dataclass
class Seen:
    """What was seen of all kills."""

    kills: Counter[str] = field(default_factory=Counter[str])
    torn: int = 0
    slowest_end: float = 0.0
    finished: int = 0
    records: int = 0

    def told(self) -> str:
        """In lines."""
        of = ", ".join(f"{count} {when}" for when, count in sorted(self.kills.items()))
        return (
            f"{self.kills.total()} kills: {of}\n{self.torn} left a torn last line\n"
            f"the last process of a killed run ended after {self.slowest_end:.2f} s at most\n"
            f"{self.finished} runs were finished, with {self.records} records in all"
        )


@dataclass
class Folder:
    """A folder with a suite and its runs. `known` are the whole lines of the newest run's records, as last seen."""

    path: Path
    name: str
    known: list[bytes] = field(default_factory=list[bytes])

    @property
    def run(self) -> Run | None:
        """The newest run, if one has begun."""
        return newest_run(self.path / "results", self.name)

    def content(self) -> bytes:
        """The bytes of its records."""
        run = self.run
        file = None if run is None else run.folder / RECORDS
        return file.read_bytes() if file is not None and file.exists() else b""

    def forget(self) -> None:
        """Begin anew: the next run is another one."""
        run = self.run
        assert run is not None
        shutil.rmtree(run.folder)
        self.known = []

    def start(self, mark: str) -> subprocess.Popen[bytes]:
        """Begin the run, or go on with it."""
        resume = ["--resume"] if self.run is not None else []
        return subprocess.Popen(
            [sys.executable, "-m", "harness", "run", f"{self.name}.yaml", *resume],
            cwd=self.path,
            env={**os.environ, "MARK": mark, "GRADIENT_HARNESS_CACHE": str(self.path / "references")},
            stdout=subprocess.DEVNULL,
            stderr=(self.path / "errors.log").open("wb"),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="how often to kill (100)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills (0)")
    asked = parser.parse_args()
    draw = random.Random(asked.seed)
    for number, name in enumerate(SUITES):
        seen = Seen()
        count = asked.kills // 2 + (number < asked.kills % 2)
        with tempfile.TemporaryDirectory() as path:
            stress(Path(path), name, count, draw, seen)
        print(f"{name}:\n{seen.told()}", flush=True)


def stress(path: Path, name: str, kills: int, draw: random.Random, seen: Seen) -> None:
    """Kill a suite's runs so often, and then let the last one end."""
    (path / f"{name}.yaml").write_text(SUITES[name])
    folder = Folder(path, name)
    while kills:
        if kill_one(folder, draw, seen):
            kills -= 1
        else:
            check_whole(folder, seen)
            folder.forget()
    finish(folder)
    check_whole(folder, seen)


def kill_one(folder: Folder, draw: random.Random, seen: Seen) -> bool:
    """Start the run, kill it at a random moment and look at what it left; False where it was done before.

    Half of the kills come at any time, half shortly after a record was begun.
    """
    mark, before = uuid.uuid4().hex, len(folder.content())
    process = folder.start(mark)
    at_record = draw.random() < 0.5
    wait = draw.uniform(0, 0.05) if at_record else draw.uniform(0, 6)
    more = before + draw.randint(1, 8) * 1000 if at_record else 0
    while process.poll() is None and at_record and len(folder.content()) < more:
        time.sleep(0.002)
    try:
        process.wait(wait)
    except subprocess.TimeoutExpired:
        written = folder.content()
        process.send_signal(signal.SIGKILL)
        process.wait()
        seen.slowest_end = max(seen.slowest_end, check_ended(mark))
        seen.kills["after a new record" if len(written) > before else "before one"] += 1
        check_kept(folder, written, seen)
        return True
    if process.returncode != 0:
        fail(f"the run ended with exit code {process.returncode}", folder)
    return False


def check_ended(mark: str) -> float:
    """The seconds until no process of the run is alive."""
    start = time.monotonic()
    while alive := marked(mark):
        if time.monotonic() - start > END_SECONDS:
            fail(f"{len(alive)} processes are alive {END_SECONDS} s after the kill: {alive}")
        time.sleep(0.02)
    return time.monotonic() - start


def marked(mark: str) -> list[str]:
    """The processes in whose environment the mark stands, but for those that have ended and wait for their parent."""
    found: list[str] = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("MARK") == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def check_kept(folder: Folder, written: bytes, seen: Seen) -> None:
    """All lines that were whole before the kill, and before earlier ones, are there; the run can be read."""
    content = folder.content()
    whole = content.splitlines(keepends=True)
    if whole and not whole[-1].endswith(b"\n"):
        seen.torn += 1
        whole.pop()
    lines = [line for line in written.splitlines(keepends=True) if line.endswith(b"\n")]
    for expected in (folder.known, lines):
        if whole[: len(expected)] != expected:
            fail("a record that was written before the kill is gone", folder)
    run = folder.run
    if run is not None:
        check_nothing_lost(newest(folder.known), {row["case"]: row for row in run.rows()}, folder)
    folder.known = whole


def newest(lines: Sequence[bytes]) -> dict[str, Row]:
    """The newest record of each case."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return {row["case"]: row for row in rows}


def check_nothing_lost(before: Mapping[str, Row], now: Mapping[str, Row], folder: Folder) -> None:
    """What was measured of a case is measured still."""
    for case, row in before.items():
        lost = [name for name in MEASURED if row[name] not in (None, []) and now[case][name] in (None, [])]
        if lost:
            fail(f"{row['method']} has lost {', '.join(lost)}", folder)


def finish(folder: Folder) -> None:
    """Let the run end."""
    process = folder.start(uuid.uuid4().hex)
    if process.wait(MOST_SECONDS) != 0:
        fail(f"the run ended with exit code {process.returncode}", folder)


def check_whole(folder: Folder, seen: Seen) -> None:
    """Each case of the suite has one newest record, with all that was asked for."""
    run = folder.run
    assert run is not None
    check_nothing_lost(newest(folder.known), {row["case"]: row for row in run.rows()}, folder)
    frame = harness.load(run.folder)
    expected = 40 if folder.name == "times" else 18
    if len(frame) != expected or not frame["case"].is_unique:
        fail(f"{len(frame)} newest records of {frame['case'].nunique()} cases; needed: {expected}", folder)
    if not (frame["status"] == "ok").all() or frame["pending"].map(len).any() or not frame["seconds"].map(len).all():
        fail("the run isn't complete", folder)
    if folder.name == "errors":
        judged = frame[frame["approach"] != "floor"]
        if frame["peak_bytes"].isna().any() or not judged["gradient_error_theta"].map(len).all():
            fail("the run lacks errors or memory", folder)
    history = run.history()
    twice = [case for case, count in Counter(row["case"] for row in history if not row["pending"]).items() if count > 1]
    if twice:
        fail(f"{len(twice)} cases were measured again after they were complete: {twice[:3]}", folder)
    seen.finished += 1
    seen.records += len(history)


def fail(what: str, folder: Folder | None = None) -> NoReturn:
    """Say what is wrong, and keep what shows it."""
    if folder is not None:
        kept = Path(tempfile.mkdtemp(prefix="killed-")) / "folder"
        shutil.copytree(folder.path, kept)
        what = f"{what}; the folder is kept in {kept}\n{(kept / 'errors.log').read_text()}"
    sys.exit(what)


if __name__ == "__main__":
    main()
