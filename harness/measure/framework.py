"""A framework in the child that measures: its settings, waiting for its results, reading its arrays."""

from __future__ import annotations

import contextlib
import os
from abc import ABC, abstractmethod

from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.method import Gradient


class AbstractFramework(ABC):
    """What the harness, and no method, does about a framework."""

    @abstractmethod
    def configure(self, case: Case) -> None:
        """Threads and precision, before anything is built."""

    @abstractmethod
    def wait(self, gradient: Gradient) -> None:
        """Return when the gradient has been computed."""

    @abstractmethod
    def read(self, gradient: Gradient) -> GradientArrays:
        """The gradient in numpy."""


class Numpy(AbstractFramework):
    """For plugins that need neither torch nor jax."""

    def configure(self, case: Case) -> None:
        """Nothing."""

    def wait(self, gradient: Gradient) -> None:
        """Nothing: numpy computes at once."""

    def read(self, gradient: Gradient) -> GradientArrays:
        """As it is."""
        return GradientArrays.of(gradient.loss, gradient.theta, gradient.y0, gradient.evaluations, gradient.variance)


class Torch(AbstractFramework):
    """PyTorch."""

    def configure(self, case: Case) -> None:
        """The number of threads."""
        import torch

        torch.set_num_threads(case.threads)

    def wait(self, gradient: Gradient) -> None:
        """A CUDA device works asynchronously."""
        import torch

        if gradient.y0.is_cuda:
            torch.cuda.synchronize()

    def read(self, gradient: Gradient) -> GradientArrays:
        """By way of the CPU."""
        theta = {name: value.detach().cpu().numpy() for name, value in gradient.theta.items()}
        loss, y0 = gradient.loss.detach().cpu(), gradient.y0.detach().cpu().numpy()
        return GradientArrays.of(loss, theta, y0, gradient.evaluations, gradient.variance)


class Jax(AbstractFramework):
    """JAX."""

    def configure(self, case: Case) -> None:
        """Precision, before anything is traced. XLA sizes its pool of threads by NPROC when its client starts."""
        os.environ["NPROC"] = str(case.threads)
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        import jax

        jax.config.update("jax_enable_x64", case.dtype == "float64")

    def wait(self, gradient: Gradient) -> None:
        """Results are promises until they are waited for."""
        import jax

        jax.block_until_ready((gradient.loss, dict(gradient.theta), gradient.y0))

    def read(self, gradient: Gradient) -> GradientArrays:
        """numpy reads JAX's arrays."""
        return GradientArrays.of(gradient.loss, gradient.theta, gradient.y0, gradient.evaluations, gradient.variance)


FRAMEWORKS: dict[str, AbstractFramework] = {"numpy": Numpy(), "torch": Torch(), "jax": Jax()}


def pin(threads: int, lane: int = 0) -> None:
    """Bind every thread of the process to `threads` cores: the last ones for lane 0, those before them for lane 1, ….

    Timed runs all take lane 0, so that paired methods share a core; building uses the others too. Thread settings alone
    don't hold (XLA ignores the usual flags): what came of it is measured as `cpu_ratio`.
    """
    cores = _USABLE
    end = len(cores) - lane * threads
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(task), cores[max(0, end - threads) : end])


_USABLE = sorted(os.sched_getaffinity(0))
