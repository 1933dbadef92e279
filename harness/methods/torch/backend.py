"""The native PyTorch methods as a backend."""

from __future__ import annotations

from harness.backend import AbstractBackend
from harness.backend_facts import Style


class Torch(AbstractBackend):
    """Eager PyTorch; on a CUDA device, graphs of it."""

    name = "torch"
    framework = "torch"
    summary = "the native methods in PyTorch"
    homepage = "https://pytorch.org"
    packages = ("torch", "triton")
    module = "torch"
    native = True
    building_seconds_cuda = 1.0
    floor = "torch/floor"
    forward = "torch/solve"
    style = Style("o", ())
