"""What is wrong with a machine before it measures."""

from __future__ import annotations

import multiprocessing
import time
from types import SimpleNamespace

import psutil
import pytest

from harness import condition as checks
from harness.condition import condition, missing
from harness.environment import environment
from harness.registry import Registry


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load()


@pytest.fixture
def idle(monkeypatch):
    """Nothing else runs, nobody else is there, and the kernel says nothing of frequencies."""
    monkeypatch.setattr(checks, "_used_by_others", lambda: 0.01)
    monkeypatch.setattr(checks, "changing_speed", list)
    monkeypatch.setattr(checks, "other_users", list)


def test_a_machine_in_order_has_no_warning(idle, registry):
    about = {**environment(registry), "gpus": []}
    assert missing(about, registry) == []
    assert condition(about, registry) == []


def test_each_fault_is_a_warning(idle, monkeypatch, registry):
    monkeypatch.setattr(checks, "_used_by_others", lambda: 1.26)
    about = environment(registry)
    about["packages"]["diffrax"] = None
    gpu = {"name": "G", "used_mib": 500, "utilization_percent": 9, "power_limit_w": 300, "default_power_limit_w": 300}
    about |= {"gpus": [{**gpu, "slowed": "0x0", "persistence": "Enabled"}], "usable_cores": 2}
    library, others, device = condition(about, registry)
    assert "diffrax" in library
    assert "1.3 of 2 cores" in others
    assert "500 MiB" in device


def test_what_changes_the_speed_of_the_cores_is_a_warning(monkeypatch, tmp_path):
    monkeypatch.setattr(checks, "spread", lambda: 1.05)
    assert checks.changing_speed(tmp_path / "none") == []
    governor = tmp_path / "cpu0/cpufreq/scaling_governor"
    boost = tmp_path / "cpufreq/boost"
    for path, text in ((governor, "performance\n"), (boost, "0\n")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert checks.changing_speed(tmp_path) == []
    governor.write_text("powersave\n")
    boost.write_text("1\n")
    monkeypatch.setattr(checks, "spread", lambda: 1.42)
    follows, turbo, unsteady = checks.changing_speed(tmp_path)
    assert "powersave" in follows
    assert "turbo" in turbo
    assert "42%" in unsteady


def test_other_users_are_named(monkeypatch):
    users = [SimpleNamespace(name=name) for name in ("ann", "me", "ann", "bob")]
    monkeypatch.setattr(checks.psutil, "users", lambda: users)
    monkeypatch.setattr(checks.getpass, "getuser", lambda: "me")
    assert checks.other_users() == ["other users are logged in: ann, bob"]


def _work(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_our_own_children_are_no_other_programs(monkeypatch):
    monkeypatch.setattr(checks.psutil, "cpu_times", lambda: SimpleNamespace(user=1e6, nice=0.0, system=0.0))
    before = checks._seconds()
    child = multiprocessing.get_context("spawn").Process(target=_work, args=(30.0,))
    child.start()
    try:
        while psutil.Process(child.pid).cpu_times().user < 0.2:
            time.sleep(0.02)
        assert checks._seconds() <= before - 0.2
    finally:
        child.kill()
        child.join()
