"""The child that measures one case, and the one that computes references. Each obeys its parent over a pipe."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import sys
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.errors import ProblemError, UnsupportedError
from harness.gradient_arrays import PARTS, GradientArrays
from harness.initial import Values, draw, with_values
from harness.lazy import lazily
from harness.measuring.allocator import keep_freed_memory
from harness.measuring.calibration import calibration_seconds
from harness.measuring.checks import bytes_of, check_kind, check_problem, check_repeated, note_of
from harness.measuring.framework import FRAMEWORKS, pin
from harness.measuring.memory import in_use_cpu, in_use_cuda, peak_bytes_cpu, peak_bytes_cuda, retained_bytes
from harness.measuring.time import Sample, take_sample
from harness.method import Gradient
from harness.models.facts import ModelFacts
from harness.problem import AbstractProblem
from harness.registry import Registry
from harness.runner.orphans import tie_to_server
from harness.runner.subject import path_of, subject_of

if TYPE_CHECKING:
    import jax
    import torch

    from harness import reference
    from harness.models.jax import references as _jax_references
    from harness.models.torch import references as _torch_references
else:
    jax, torch, reference, _jax_references, _torch_references = lazily(
        "jax", "torch", "harness.reference", "harness.models.jax.references", "harness.models.torch.references"
    )


@dataclass(frozen=True)
class Answer:
    """What a request came to: a value, or what went wrong (a status of a record, and why)."""

    value: Any = None
    status: str = "ok"
    reason: str = ""


@dataclass(frozen=True)
class Built:
    """Seconds of building and of the first call, whether its gradient is finite, the entries of θ's, and what a reader
    of the record should know."""

    compile_seconds: float
    first_call_seconds: float
    finite: bool
    parameters: int = 0
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Bytes: the peak of a call, XLA's own count of its temporary memory, and what stays allocated after a call.

    None where there is no such count.
    """

    peak: int | None
    xla_temp: int | None = None
    retained: float | None = None


LONGEST_REASON = 500
LONGEST_TRACEBACK = 20_000
"""The most characters of a traceback that are logged. A message of a method's may be of any length."""


def serve(connection: Connection, make: Callable[[], object], log: str | None) -> None:
    """Answer requests (name of a method, its arguments) on what `make` makes, until the parent goes.

    Whatever a method raises or gives is an answer, and the child goes on.
    """
    tie_to_server()
    os.register_at_fork(after_in_child=connection.close)  # a fork of a method's has no say
    if log is not None:
        _redirect_output(log)
    target = None
    while True:
        try:
            name, args, kwargs = connection.recv()
        except (EOFError, OSError):
            return
        try:
            target = target or make()
            answer = Answer(getattr(target, name)(*args, **kwargs))
        except BaseException as error:
            answer = _failure(error)
        try:
            connection.send(answer)
        except (EOFError, OSError):
            return
        except Exception as error:  # it can't be pickled
            connection.send(_failure(error))


def _redirect_output(log: str) -> None:
    file = open_log(log)
    os.dup2(file, 1)
    os.dup2(file, 2)


def open_log(log: str) -> int:
    """The file that output goes to, or nothing where it can't be written or is a link: no case fails for it."""
    try:
        return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)


def _failure(error: BaseException) -> Answer:
    _log(error)
    if isinstance(error, UnsupportedError):
        return Answer(status="unsupported", reason=_message(error)[:LONGEST_REASON])
    text = _words(error)
    memory = ("out of memory", "RESOURCE_EXHAUSTED", "can't allocate memory", "Unable to allocate")
    if isinstance(error, MemoryError) or any(words.lower() in text.lower() for words in memory):
        return Answer(status="out-of-memory", reason=text)
    return Answer(status="failed", reason=text)


def _log(error: BaseException) -> None:
    """Write the traceback to the child's output. A full disk, or an exception that can't be printed, is no failure."""
    with contextlib.suppress(Exception):
        lines = "".join(traceback.format_exception(error))
        sys.stderr.write(lines[-LONGEST_TRACEBACK:])
        sys.stderr.flush()


def _words(error: BaseException) -> str:
    """What happened, in a line. A ProblemError is a sentence already."""
    message = _message(error)
    text = message if isinstance(error, ProblemError) else f"{type(error).__name__}: {message}".rstrip(": ")
    return text[:LONGEST_REASON]


def _message(error: BaseException) -> str:
    """Its message in a line, which is the method's own code and may raise."""
    try:
        return " ".join(str(error)[: 10 * LONGEST_REASON].split())
    except Exception as fault:
        return f"reading its message raises {type(fault).__name__}"


class CaseTarget:
    """One case in its child, of a problem or of a user's own `model`. y0 and θ are `values`, those of its block."""

    def __init__(
        self, case: Case, plugins: tuple[str, ...], values: Values, lane: int, model: ModelFacts | None = None
    ) -> None:
        pin(case.threads, lane)
        keep_freed_memory()
        registry = Registry.load(plugins)
        self.case = case
        self.method = registry.method(case.method)
        self.framework = FRAMEWORKS[self.method.framework]
        self.framework.configure(case)
        self.framework.check_products(case)
        library = registry.backends[case.backend].module
        if library:  # before anything is timed: the fork server has it, unless it's that of a suite's plugin
            importlib.import_module(library)
        self.subject = subject_of(case, registry, values, model)

    def build(self, path_seed: int) -> Built:
        """Build the callable and call it once."""
        path = self.subject.path(path_seed) if self.case.brownian == "shared" else None
        start = time.perf_counter()
        self.compute = self.subject.build(path)
        built = time.perf_counter()
        gradient = self.compute()
        check_kind(gradient, self.case)
        self.framework.wait(gradient)
        done = time.perf_counter()
        self.subject.check(gradient)
        found = self.framework.read(gradient)
        return Built(built - start, done - built, found.finite(), found.theta.size, note_of(self.compute, self.case))

    def move(self, lane: int) -> None:
        """Move to the cores of a lane. Everything is timed in lane 0."""
        pin(self.case.threads, lane)

    def time(self, repeats: int) -> Sample:
        """Compute the gradient `repeats` times, back to back."""
        return take_sample(self._once, repeats)

    def calibration(self) -> float:
        """How fast the machine is now: the seconds of a fixed calculation."""
        return calibration_seconds()

    def memory(self) -> Memory:
        """Peak bytes of one call, what several further ones retain, and XLA's own count."""
        framework, start = self.method.framework, time.perf_counter()
        if self.case.device == "cuda":
            peak, in_use = peak_bytes_cuda(self._once, framework), functools.partial(in_use_cuda, framework)
            planned = bytes_of(self.compute, "planned_bytes", self.case)
            peak = peak if planned is None else planned
        else:
            peak, in_use = peak_bytes_cpu(self._once), in_use_cpu
        retained = retained_bytes(self._once, in_use, time.perf_counter() - start)
        return Memory(peak=peak, xla_temp=bytes_of(self.compute, "temp_bytes", self.case), retained=retained)

    def gradient(self, path_seed: int) -> GradientArrays:
        """The gradient on the shared path with this seed, once it is seen that a second call gives it again."""
        compute = self.subject.build_checked(self.subject.path(path_seed))
        found: list[GradientArrays] = []
        for _ in range(2):
            gradient = compute()
            check_kind(gradient, self.case)
            self.framework.wait(gradient)
            self.subject.check(gradient)
            found.append(self.framework.read(gradient))
        first, second = found
        check_repeated(first, second, self.case)
        return first

    def _once(self) -> Gradient:
        gradient = self.compute()
        self.framework.wait(gradient)
        return gradient


class ReferenceTarget(ABC):
    """What a child for references answers."""

    @abstractmethod
    def values(self, case: Case) -> Values:
        """y0 and θ of the case's block."""

    @abstractmethod
    def continuous(
        self, case: Case, values: Values, path_seed: int, found: Sequence[GradientArrays], most_steps: int
    ) -> tuple[GradientArrays, dict[str, float]]:
        """The continuous reference, fine enough to judge the gradients `found`, and its error bars by part."""

    def remark(self, case: Case) -> str:
        """What to know about the case's continuous reference, once that is computed; mostly nothing."""
        del case
        return ""

    @abstractmethod
    def discrete(
        self, case: Case, values: Values, path_seed: int, times: np.ndarray | None = None
    ) -> GradientArrays | None:
        """The discrete reference: the float64 gradient of the case's own solve, on the steps that a method reports.

        None where a method's own steps aren't known.
        """

    @abstractmethod
    def largest_state(self, case: Case, values: Values, path_seed: int) -> float | None:
        """The largest absolute entry of the states that the case's own discrete solve observes, where that is known."""

    @abstractmethod
    def meets_a_jump(self, case: Case, values: Values, path_seed: int) -> bool:
        """Whether the right-hand side jumps at a time at which the discrete solve evaluates it."""


class ProblemReferences(ReferenceTarget):
    """References of problems, computed in a child of their own: in JAX, float64, on the CPU, cached on disk."""

    def __init__(self, plugins: tuple[str, ...]) -> None:
        os.environ["JAX_PLATFORMS"] = "cpu"
        jax.config.update("jax_platforms", "cpu")
        jax.config.update("jax_enable_x64", True)
        self.registry = Registry.load(plugins)
        self.cache = reference.ReferenceCache()

    def values(self, case: Case) -> Values:
        """y0 and θ of the case's block."""
        return draw(self.registry.problem_of(case), case.batch, case.seed)

    def continuous(
        self, case: Case, values: Values, path_seed: int, found: Sequence[GradientArrays], most_steps: int
    ) -> tuple[GradientArrays, dict[str, float]]:
        """The continuous reference, fine enough to judge the gradients `found`, and its error bars by part."""
        problem, path = self._of(case, values, path_seed)
        result = reference.continuous(problem, case, path, self.cache, found=found, most_steps=most_steps)
        return result.gradient, {part: getattr(result, part) for part in PARTS}

    def discrete(self, case: Case, values: Values, path_seed: int, times: np.ndarray | None = None) -> GradientArrays:
        """The discrete reference: the float64 gradient of the case's own solve, on the steps that a method reports."""
        problem, path = self._of(case, values, path_seed)
        return reference.discrete(problem, self.registry.schemes[case.scheme], case, path, times)

    def largest_state(self, case: Case, values: Values, path_seed: int) -> float | None:
        """The largest absolute entry of the states that the case's own discrete solve observes."""
        problem, path = self._of(case, values, path_seed)
        return reference.largest_state(problem, self.registry.schemes[case.scheme], case, path)

    def meets_a_jump(self, case: Case, values: Values, path_seed: int) -> bool:
        """Whether the right-hand side jumps at a time at which the discrete solve evaluates it."""
        problem, path = self._of(case, values, path_seed)
        return reference.meets_a_jump(problem, self.registry.schemes[case.scheme], case, path)

    def _of(self, case: Case, values: Values, path_seed: int) -> tuple[AbstractProblem, SharedPath | None]:
        problem = with_values(self.registry.problem_of(case), values)
        return problem, path_of(problem, case.batch, path_seed)


def references_of(plugins: tuple[str, ...], model: ModelFacts | None) -> ReferenceTarget:
    """Those of a model in its own framework, those of problems in JAX."""
    if model is None:
        return ProblemReferences(plugins)
    if model.framework == "jax":
        return _jax_references.JaxModelReferences(plugins, model)
    return _torch_references.TorchModelReferences(plugins, model)


class FormTarget:
    """Finds out in which frameworks a problem can be evaluated in a precision, before anything is measured."""

    def __init__(self, plugins: tuple[str, ...], dtype: str) -> None:
        os.environ["JAX_PLATFORMS"] = "cpu"
        jax.config.update("jax_platforms", "cpu")
        jax.config.update("jax_enable_x64", dtype == "float64")
        self.registry = Registry.load(plugins)
        self.dtype = dtype

    def refusals(self, case: Case) -> dict[str, str]:
        """Why the case's problem can't be solved, by framework; without those in which it can."""
        try:
            problem = self.registry.problem_of(case)
            values = draw(problem, case.batch, case.seed)
        except Exception as error:
            return dict.fromkeys(FRAMEWORKS, _words(error))
        found: dict[str, str] = {}
        for name, framework in FRAMEWORKS.items():
            try:
                check_problem(problem, values, replace(case, dtype=self.dtype), framework)
            except Exception as error:
                found[name] = _words(error)
        return found


class ProbeTarget:
    """Finds out which frameworks see a CUDA device, and its name."""

    def __init__(self) -> None:
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

    def cuda(self) -> dict[str, str]:
        """The device's name by framework."""
        found: dict[str, str] = {}
        if torch.cuda.is_available():
            found["torch"] = torch.cuda.get_device_name()
        with contextlib.suppress(RuntimeError):
            found["jax"] = jax.devices("gpu")[0].device_kind
        return found
