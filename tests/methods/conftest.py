"""What the tests of methods share: quick compilation, and one thread: tensors as small as these keep no more busy."""

from __future__ import annotations

import pytest
import torch

LOOKING_INTO_IT = ("test_checkpoint", "test_recursive_checkpoint", "test_stages")


@pytest.fixture(autouse=True, scope="module")
def compiled_quickly(request):
    """All modules but those that look into what XLA compiles."""
    if request.module.__name__.rpartition(".")[2] not in LOOKING_INTO_IT:
        request.getfixturevalue("quick_compilation")


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """For all tests of methods; the gradients don't depend on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
