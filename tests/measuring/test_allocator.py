"""The allocator of the child that measures."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import resource
import torch
from harness.measuring.allocator import keep_freed_memory

assert keep_freed_memory()

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    held = [torch.empty(2**18).fill_(1.0) for _ in range(64)]  # 64 MiB in pieces of 1 MiB
    del held
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults(), faults()
print(faults())
"""


def test_freed_memory_is_used_again():
    """64 MiB are 16,384 pages, most of which glibc gives back and gets again unless told not to; a piece may move."""
    found = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    assert int(found.stdout) <= 1024
