"""The NVIDIA devices of a machine as their driver tells of them: what a figure taken there depends on."""

from __future__ import annotations

import shutil
import subprocess

Device = dict[str, str | float | None]
"""What is told of a device, by the keys of `QUERIES`. What the driver doesn't tell is None."""
QUERIES = {
    "name": "name",
    "driver": "driver_version",
    "memory_mib": "memory.total",
    "clock_mhz": "clocks.sm",
    "largest_clock_mhz": "clocks.max.sm",
    "memory_clock_mhz": "clocks.mem",
    "power_limit_w": "power.limit",
    "default_power_limit_w": "power.default_limit",
    "temperature_c": "temperature.gpu",
    "persistence": "persistence_mode",
    "slowed": "clocks_event_reasons.active",
    "used_mib": "memory.used",
    "utilization_percent": "utilization.gpu",
}
"""What is recorded of a device, and nvidia-smi's name for it."""
SLOWDOWNS = {
    0x4: "the power limit",
    0x8: "a hardware slowdown",
    0x20: "the temperature",
    0x40: "the temperature (hardware)",
    0x80: "the power supply",
}
"""Reasons for lower clocks that spoil a timing, by their bit (NVML, nvmlClocksEventReasons)."""
FEW_MIB, FEW_PERCENT = 64, 5
"""Memory and time in use on a device that nobody uses, at most."""


def devices() -> list[Device]:
    """One dictionary a device, values as QUERIES has them; empty where there is no driver.

    `slowed` is the driver's bit mask in hexadecimal.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, f"--query-gpu={','.join(QUERIES.values())}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return []
    return [parsed(line) for line in done.stdout.splitlines() if line.strip()]


def parsed(line: str) -> Device:
    """One line of nvidia-smi's table."""
    return dict(zip(QUERIES, map(_value, line.split(", ")), strict=True))


def _value(text: str) -> str | float | None:
    text = text.strip()
    if text.startswith("[") or text == "N/A":
        return None
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


def _number(device: Device, name: str) -> float | None:
    value = device[name]
    return None if isinstance(value, str) else value


def concerns(device: Device) -> list[str]:
    """What spoils a timing on this device, while nothing of ours runs on it."""
    found: list[str] = []
    if (_number(device, "used_mib") or 0) > FEW_MIB or (_number(device, "utilization_percent") or 0) > FEW_PERCENT:
        found.append(f"another process uses it: {device['used_mib']} MiB, {device['utilization_percent']}% of the time")
    limit, usual = _number(device, "power_limit_w"), _number(device, "default_power_limit_w")
    if limit is not None and usual is not None and limit < usual:
        found.append(f"its power is limited to {limit} W, below its usual {usual} W")
    mask = int(str(device["slowed"] or "0"), 16)
    found += [f"its clocks are lowered by {reason}" for bit, reason in SLOWDOWNS.items() if mask & bit]
    if device["persistence"] == "Disabled":
        found.append("persistence mode is off: the driver is loaded anew when no process uses the device")
    return found
