"""What the tests of methods share: one thread, since with tensors as small as these more of them only wait."""

from __future__ import annotations

import jax
import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """For all tests of methods; the gradients don't depend on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def quick_compilation():
    """For modules whose time is compilation: it does without LLVM's optimisation, since the numbers are what counts."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
