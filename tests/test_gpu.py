"""What the driver tells of a device, and what of it spoils a timing. IDLE is nvidia-smi's line of an idle H100."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness import gpu

IDLE = (
    "NVIDIA H100 80GB HBM3, 580.159.04, 81559, 1980, 1980, 2619, 700.00, 700.00, 38, Enabled, 0x0000000000000000, 0, 1"
)


def test_a_device_is_read():
    device = gpu.parsed(IDLE)
    assert device["name"] == "NVIDIA H100 80GB HBM3"
    assert device["driver"] == "580.159.04"
    assert device["power_limit_w"] == 700
    assert device["slowed"] == "0x0000000000000000"


def test_what_the_driver_does_not_tell_is_none():
    device = gpu.parsed(IDLE.replace("700.00, 700.00", "[N/A], [Not Supported]"))
    assert device["power_limit_w"] is None
    assert device["default_power_limit_w"] is None
    assert gpu.concerns(device) == []


@pytest.mark.parametrize(
    ("idle", "spoiled", "words"),
    [
        (", 0, 1", ", 4096, 97", "another process"),
        ("700.00, 700.00", "300.00, 700.00", "power is limited to 300 W"),
        ("Enabled", "Disabled", "persistence"),
        ("0x0000000000000000", "0x0000000000000004", "clocks are lowered by the power limit"),
        ("0x0000000000000000", "0x0000000000000020", "clocks are lowered by the temperature"),
    ],
)
def test_what_spoils_a_timing_is_said(idle, spoiled, words):
    assert gpu.concerns(gpu.parsed(IDLE)) == []
    (concern,) = gpu.concerns(gpu.parsed(IDLE.replace(idle, spoiled)))
    assert words in concern


def test_idle_clocks_are_no_concern():
    """A device at rest lowers its clocks of its own accord: bit 0 of the mask."""
    assert gpu.concerns(gpu.parsed(IDLE.replace("0x0000000000000000", "0x0000000000000001"))) == []


@pytest.mark.parametrize("answer", ["exit 9", f"echo '{IDLE}'"])
def test_devices_are_those_of_the_driver(answer, monkeypatch, tmp_path: Path):
    """By a stand-in for nvidia-smi: none where it fails, which it does without a driver."""
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(program))
    assert gpu.devices() == ([gpu.parsed(IDLE)] if "echo" in answer else [])


def test_no_devices_without_the_program(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert gpu.devices() == []
