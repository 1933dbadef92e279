"""The device on which a model makes tensors that name none."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def default_device(name: str) -> AbstractContextManager[object]:
    """A context in which such tensors are made there. On a CPU, where they are anyway, it does nothing.

    PyTorch's own context is called for every operation, which can take as long as the operation.
    """
    return nullcontext() if name == "cpu" else torch.device(name)
