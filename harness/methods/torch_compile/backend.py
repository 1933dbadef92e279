"""The native PyTorch methods in compiled chunks as a backend."""

from __future__ import annotations

from harness.backend import AbstractBackend
from harness.backend_facts import Style


class TorchCompile(AbstractBackend):
    """PyTorch, the steps compiled in chunks."""

    name = "torch-compile"
    framework = "torch"
    summary = "the native methods in PyTorch, their steps compiled in chunks by torch.compile"
    homepage = "https://pytorch.org"
    packages = ("torch", "triton")
    module = "torch"
    native = True
    compiled = True
    building_seconds_cpu = 40.0
    building_seconds_cuda = 8.0
    style = Style("P", ())
