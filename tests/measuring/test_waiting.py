"""What other programs took from a sample, as the kernel counts it."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path

from harness.measuring.time import take_sample
from harness.measuring.waiting import DISTURBED, waited_seconds


def _busy(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def _on_one_core(core: int, seconds: float) -> None:
    os.sched_setaffinity(0, {core})
    _busy(seconds)


def test_a_sample_beside_a_busy_program_waited():
    """Two programs that want one core: each waits for about half of the time."""
    usable = os.sched_getaffinity(0)
    core = max(usable)
    rival = multiprocessing.get_context("spawn").Process(target=_on_one_core, args=(core, 60.0))
    rival.start()
    try:
        while rival.pid is None or os.sched_getaffinity(rival.pid) != {core}:
            time.sleep(0.02)
        os.sched_setaffinity(0, {core})
        sample = take_sample(lambda: _busy(0.1), 4)
    finally:
        os.sched_setaffinity(0, usable)
        rival.kill()
        rival.join()
    assert sample.waited_seconds > 0.1 * sample.wall_seconds > DISTURBED * sample.wall_seconds
    assert sample.waited_seconds + sample.cpu_seconds < 1.2 * sample.wall_seconds


def test_threads_are_summed_and_what_is_not_counted_is_nothing(tmp_path: Path):
    for name, text in (("1", "5 2000000000 3"), ("2", "7 500000000 1"), ("3", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "schedstat").write_text(text)
    (tmp_path / "4").mkdir()
    assert waited_seconds(tmp_path) == 2.5
    assert waited_seconds(tmp_path / "none") == 0.0
