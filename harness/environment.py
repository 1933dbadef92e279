"""The environment that a run was taken in: what someone needs to have the same numbers again."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from harness.gpu import devices
from harness.registry import Registry
from harness.store import About

PACKAGES = ("gradient-harness", "numpy", "pandas", "memray")
"""Recorded besides those of the backends."""
VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "XLA_FLAGS",
    "JAX_PLATFORMS",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_MAX_CONNECTIONS",
    "NVIDIA_TF32_OVERRIDE",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "PYTORCH_CUDA_ALLOC_CONF",
)


def environment(registry: Registry) -> About:
    """Host, versions, backends, processor, cores, memory, kernel, NVIDIA devices, thread settings and git revision.

    They are JSON values. The backends are what `harness.backend_facts` reads again.
    """
    of_backends = [name for backend in registry.backends.values() for name in backend.packages]
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "kernel": platform.release(),
        "processor": processor(),
        "cores": psutil.cpu_count(logical=False),
        "logical_cores": psutil.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)),
        "memory_bytes": psutil.virtual_memory().total,
        "gpus": devices(),
        "packages": {name: package_version(name) for name in dict.fromkeys((*PACKAGES, *of_backends))},
        "backends": {name: asdict(facts) for name, facts in registry.backend_facts().items()},
        "variables": {name: os.environ.get(name) for name in VARIABLES},
        "git_revision": git_revision(),
        "arguments": arguments(),
    }


def arguments() -> list[str]:
    """The command line of this process. The program's name has no folder."""
    return [Path(sys.argv[0]).name, *sys.argv[1:]]


def package_version(name: str) -> str | None:
    """The installed version, None where it isn't installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """The processor's model, as the kernel names it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def git_revision() -> str | None:
    """The commit of the harness's own checkout, with `+changes` where files differ from it; None outside of one."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.SubprocessError):
        return None
