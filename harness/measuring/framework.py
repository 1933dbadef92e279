"""A framework in the child that measures: its settings, waiting for its results, reading its arrays."""

from __future__ import annotations

import contextlib
import importlib
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Protocol, SupportsFloat

import numpy as np
from numpy.typing import ArrayLike

from harness.arrays import A, Namespace, Scalar, Theta
from harness.case import Case
from harness.errors import ProblemError
from harness.gradient_arrays import GradientArrays
from harness.lazy import lazily
from harness.method import Gradient

if TYPE_CHECKING:
    import jax
    import torch
else:
    jax, torch = lazily("jax", "torch")

Outline = tuple[tuple[int, ...], str | None]
"""An array's shape, and its dtype by name; None for a plain number, which has none."""


AMPERE = 8.0
"""The compute capability from which on a GPU has TF32."""


class Function(Protocol):
    """A function of a problem, such as its drift, over the arrays of any framework."""

    def __call__(self, xp: Namespace, t: Scalar, y: A, theta: Theta[A], /) -> A:
        """At one time, state and θ."""
        ...


class AbstractFramework(ABC):
    """What the harness, and no method, does about a framework."""

    label: ClassVar[str]
    """Its name, for people."""

    @abstractmethod
    def configure(self, case: Case) -> None:
        """Threads and precision, before anything is built."""

    def capability(self) -> float | None:
        """CUDA's compute capability of the device, None where there is none."""
        return None

    def check_products(self, case: Case) -> None:
        """An NVIDIA GPU before Ampere would multiply in full precision and say nothing. Raises ProblemError."""
        if case.matmul != "tf32":
            return
        found = self.capability()
        if found is None or found < AMPERE:
            raise ProblemError(f"matmul: tf32 needs compute capability {AMPERE:.1f}, the device has {found or 'none'}")

    def wait(self, gradient: Gradient) -> None:
        """Return when the gradient has been computed.

        Whatever of it is a promise is waited for, also where a method's framework is said to be another one.
        """
        for array in (gradient.loss, *gradient.theta.values(), gradient.y0):
            block = getattr(array, "block_until_ready", None)
            if block is not None:
                block()

    def read(self, gradient: Gradient) -> GradientArrays:
        """The gradient in numpy."""
        return _in_numpy(gradient, gradient.loss, gradient.theta, gradient.y0)

    @abstractmethod
    def outline(
        self, function: Function, t: float, y: np.ndarray, theta: Mapping[str, np.ndarray], dtype: str
    ) -> Outline:
        """Of `function(xp, t, y, theta)`, its arrays being of this precision. Whatever the function raises."""

    @abstractmethod
    def numbers(
        self, function: Function, t: float, y: np.ndarray, theta: Mapping[str, np.ndarray], dtype: str
    ) -> np.ndarray:
        """`function(xp, t, y, theta)` in numpy, its arrays being of this precision. Whatever the function raises."""

    def form(self, array: ArrayLike) -> Outline:
        """Shape and dtype of an array, or of a plain number."""
        dtype = getattr(array, "dtype", None)
        return tuple(np.shape(array)), None if dtype is None else str(dtype).removeprefix("torch.")


def _in_numpy(gradient: Gradient, loss: SupportsFloat, theta: Mapping[str, ArrayLike], y0: ArrayLike) -> GradientArrays:
    """These arrays, which NumPy can read, with what the method tells beside them."""
    return GradientArrays.of(loss, theta, y0, gradient.evaluations, gradient.variance, times=gradient.times)


class Numpy(AbstractFramework):
    """For plugins that need neither torch nor jax."""

    label = "numpy"

    def configure(self, case: Case) -> None:
        """Nothing."""

    def outline(
        self, function: Function, t: float, y: np.ndarray, theta: Mapping[str, np.ndarray], dtype: str
    ) -> Outline:
        """By evaluating it."""
        return self.form(self.numbers(function, t, y, theta, dtype))

    def numbers(
        self, function: Function, t: float, y: np.ndarray, theta: Mapping[str, np.ndarray], dtype: str
    ) -> np.ndarray:
        """As they are."""
        return function(np, t, y.astype(dtype), {name: value.astype(dtype) for name, value in theta.items()})


class Torch(AbstractFramework):
    """PyTorch."""

    label = "PyTorch"

    def configure(self, case: Case) -> None:
        """The number of threads, and how matrices are multiplied on a GPU."""
        torch.set_num_threads(case.threads)
        torch.set_float32_matmul_precision("high" if case.matmul == "tf32" else "highest")

    def capability(self) -> float | None:
        """Of the current device."""
        if not torch.cuda.is_available():
            return None
        major, minor = torch.cuda.get_device_capability()
        return major + minor / 10

    def wait(self, gradient: Gradient) -> None:
        """A CUDA device works asynchronously."""
        super().wait(gradient)
        if getattr(gradient.y0, "is_cuda", False):
            torch.cuda.synchronize()

    def read(self, gradient: Gradient) -> GradientArrays:
        """By way of the CPU."""
        theta = {name: value.detach().cpu().numpy() for name, value in gradient.theta.items()}
        loss, y0 = gradient.loss.detach().cpu(), gradient.y0.detach().cpu().numpy()
        return _in_numpy(gradient, loss, theta, y0)

    def outline(
        self, function: Function, t: float, y: np.ndarray, theta: Mapping[str, np.ndarray], dtype: str
    ) -> Outline:
        """By evaluating it."""
        return self.form(self._evaluated(function, t, y, theta, dtype))

    def numbers(
        self, function: Function, t: float, y: np.ndarray, theta: Mapping[str, np.ndarray], dtype: str
    ) -> np.ndarray:
        """By way of tensors on the CPU."""
        return self._evaluated(function, t, y, theta, dtype).numpy()

    def _evaluated(
        self, function: Function, t: float, y: np.ndarray, theta: Mapping[str, np.ndarray], dtype: str
    ) -> torch.Tensor:
        kind = getattr(torch, dtype)
        tensors = {name: torch.tensor(value, dtype=kind) for name, value in theta.items()}
        with torch.no_grad():
            return function(importlib.import_module("torch"), t, torch.tensor(y, dtype=kind), tensors)


class Jax(AbstractFramework):
    """JAX."""

    label = "JAX"

    def configure(self, case: Case) -> None:
        """Precision, before anything is traced. XLA sizes its pool of threads by NPROC when its client starts."""
        os.environ["NPROC"] = str(case.threads)
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        jax.config.update("jax_enable_x64", case.dtype == "float64")
        if case.device == "cuda":  # where JAX chooses TF32 by itself unless told otherwise, PyTorch doesn't
            products = "tensorfloat32" if case.matmul == "tf32" else "float32"
            jax.config.update("jax_default_matmul_precision", products)

    def capability(self) -> float | None:
        """Of the first GPU."""
        try:
            return float(jax.devices("gpu")[0].compute_capability)
        except RuntimeError:  # JAX sees none
            return None

    def outline(
        self, function: Function, t: float, y: np.ndarray, theta: Mapping[str, np.ndarray], dtype: str
    ) -> Outline:
        """By tracing it: nothing is computed."""

        def of(array: ArrayLike) -> jax.ShapeDtypeStruct:
            return jax.ShapeDtypeStruct(np.shape(array), dtype)

        arguments = (of(t), of(y), {name: of(value) for name, value in theta.items()})
        return self.form(jax.eval_shape(lambda *given: function(jax.numpy, *given), *arguments))

    def numbers(
        self, function: Function, t: float, y: np.ndarray, theta: Mapping[str, np.ndarray], dtype: str
    ) -> np.ndarray:
        """By evaluating it."""
        jnp = jax.numpy
        arrays = {name: jnp.asarray(value, dtype) for name, value in theta.items()}
        return np.asarray(function(jnp, jnp.asarray(t, dtype), jnp.asarray(y, dtype), arrays))


FRAMEWORKS: dict[str, AbstractFramework] = {"numpy": Numpy(), "torch": Torch(), "jax": Jax()}


def pin(threads: int, lane: int = 0) -> None:
    """Bind every thread of the process to `threads` cores: the last ones for lane 0, those before them for lane 1, ….

    Timed runs all take lane 0, so that paired methods share a core; building uses the others too. Thread settings alone
    don't hold, since XLA ignores the usual flags: `cpu_ratio` records how many cores were used.
    """
    cores = _USABLE
    end = len(cores) - lane * threads
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(task), cores[max(0, end - threads) : end])


_USABLE = sorted(os.sched_getaffinity(0))
