"""One block: its cases built, timed in turn, then measured for memory and error, one record each."""

from __future__ import annotations

import contextlib
import queue
import random
import statistics
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from harness.case import Block, Case
from harness.gradient_arrays import GradientArrays
from harness.initial import Values
from harness.measure.error import errors
from harness.measure.statistics import narrow_enough
from harness.random import splitmix
from harness.record import Measured
from harness.runner.worker import CaseFailure
from harness.suite import Budget

OUTGROWN = 10.0
"""A solve is unstable where its states are so many times as large as the solution's, and its loss or gradient is off by
more than its own size."""
CUDA_LANES = 8
"""Children that build side by side on one CUDA device, whose kernels the compilers try out while they build."""
SAMPLE_SECONDS = 0.01
"""A sample is at least about so long: shorter runs are repeated within it."""


class AbstractWorker(Protocol):
    """What a block needs of a child: `Worker`, or a fake in tests."""

    def call(self, name: str, *arguments: Any) -> Any:
        """The answer to a request; raises CaseFailure."""
        ...

    def close(self) -> None:
        """End it."""
        ...


@dataclass(frozen=True)
class Outcome:
    """What became of a case."""

    case: Case
    status: str
    reason: str
    measured: Measured


@dataclass
class _Entry:
    """A case under measurement."""

    case: Case
    worker: AbstractWorker
    measured: Measured
    repeats: int = 1
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    gradients: list[GradientArrays] = field(default_factory=list)
    errors: dict[str, list[float]] = field(default_factory=dict)
    bars: list[float] = field(default_factory=list)
    unstable: str = ""
    note: str = ""
    failure: CaseFailure | None = None

    def so_far(self) -> Measured:
        """With the samples taken until now."""
        ratio = self.cpu_seconds / self.wall_seconds if self.wall_seconds else None
        repeats = self.repeats if self.seconds else None
        return replace(self.measured, seconds=tuple(self.seconds), repeats=repeats, cpu_ratio=ratio)


def _columns(found: GradientArrays, truth: GradientArrays | None, exact: GradientArrays) -> dict[str, float]:
    """The errors, and what the method told of itself."""
    told = {"evaluations": found.evaluations, "gradient_variance": found.variance}
    return errors(found, truth, exact) | {name: value for name, value in told.items() if value is not None}


def _far_off(entry: _Entry, replicate: int) -> bool:
    """Whether the loss or the gradient is off by more than its own size, so that the solve may be unstable."""
    names = ("loss_error", "gradient_error_theta", "gradient_error_y0")
    return not all(entry.errors[name][replicate] <= 1 for name in names if name in entry.errors)


def _misses(entry: _Entry, replicate: int) -> bool:
    """Whether the gradient is another one than that of the discrete solve, whatever rounding may do."""
    rounding = 1e-3 if entry.case.dtype == "float32" else 1e-8
    return not all(entry.errors[name][replicate] <= rounding for name in ("adjoint_error_theta", "adjoint_error_y0"))


def _lanes(case: Case, cores: int) -> int:
    """As many children as the cores allow, and the device."""
    lanes = max(1, cores // case.threads)
    return min(lanes, CUDA_LANES) if case.device == "cuda" else lanes


T = TypeVar("T")
R = TypeVar("R")


class _Lanes:
    """What isn't timed in turn may go side by side, a lane of cores each: building, memory and errors."""

    def __init__(self, count: int) -> None:
        self._free: queue.SimpleQueue[int] = queue.SimpleQueue()
        for lane in range(count):
            self._free.put(lane)
        self._pool = ThreadPoolExecutor(count)

    def map(self, function: Callable[[T, int], R], items: Iterable[T]) -> Iterator[R]:
        """`function(item, lane)` of every item, each as soon as it is known."""

        def in_a_lane(item: T) -> R:
            lane = self._free.get()
            try:
                return function(item, lane)
            finally:
                self._free.put(lane)

        for future in as_completed([self._pool.submit(in_a_lane, item) for item in items]):
            yield future.result()

    def close(self) -> None:
        """Start nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class BlockRunner:
    """Measures blocks. `spawn` starts a case's child in a lane; the child `references` draws y0 and θ of a block, which
    are given to all, and computes references.

    `cores` are those at hand: as many children as they allow build, and are measured for memory and error, at a time.
    `baseline` says whether a method has no gradient of its own, `exact` whether it claims that of the discrete solve;
    `say` hears what is going on, for the progress line.
    """

    measure: Sequence[str]
    budget: Budget
    seed: int
    spawn: Callable[[Case, Values, int], AbstractWorker]
    references: AbstractWorker
    cores: int
    baseline: Callable[[Case], bool]
    exact: Callable[[Case], bool]
    clock: Callable[[], float]
    say: Callable[[str], None]

    def run(self, block: Block) -> Iterator[Outcome]:
        """Outcomes as they become known. Children are ended when their case is done, or when the caller stops."""
        lanes = _Lanes(_lanes(block.cases[0], self.cores))
        entries: list[_Entry] = []
        workers: list[AbstractWorker] = []
        try:
            try:
                values = self.references.call("values", block.cases[0])
            except CaseFailure as failure:
                yield from (Outcome(case, failure.status, failure.reason, Measured()) for case in block.cases)
                return
            for built in lanes.map(lambda case, lane: self._build(case, values, lane, workers), block.cases):
                if isinstance(built, Outcome):
                    yield built
                else:
                    entries.append(built)
            entries.sort(key=lambda entry: block.cases.index(entry.case))
            if "time" in self.measure:
                yield from self._time(entries, block)
            finished: list[_Entry] = []
            for found in lanes.map(self._finish, entries):
                if isinstance(found, Outcome):
                    yield found
                elif found.gradients:
                    finished.append(found)
                else:
                    yield self._judge(found)
            if finished:
                self._errors(finished, values)
                yield from map(self._judge, finished)
        finally:
            for worker in workers:
                worker.close()
            lanes.close()

    def _build(self, case: Case, values: Values, lane: int, workers: list[AbstractWorker]) -> _Entry | Outcome:
        worker = self.spawn(case, values, lane)
        workers.append(worker)
        if self._judges and not {"time", "memory"} & set(self.measure) and not self.baseline(case):
            return _Entry(case, worker, Measured())  # errors are of gradients on the shared path, built for it
        self.say(f"building {case.label}")
        try:
            built = worker.call("build", splitmix(self.seed, 1))
            measured = Measured(
                compile_seconds=built.compile_seconds,
                first_call_seconds=built.first_call_seconds,
                parameters=built.parameters,
            )
            if not built.finite:
                worker.close()
                return Outcome(case, "diverged", "the loss or its gradient isn't finite", measured)
            repeats = self._repeats(worker, built.first_call_seconds)
            worker.call("move", 0)
            return _Entry(case, worker, measured, repeats=repeats, note=built.note)
        except CaseFailure as failure:
            worker.close()
            return Outcome(case, failure.status, failure.reason, Measured())

    def _repeats(self, worker: AbstractWorker, first_call_seconds: float) -> int:
        """Runs a sample. The first call may be slow for reasons of its own, so that a short one is tried again."""
        if first_call_seconds > 1:
            return 1
        once = worker.call("time", 1).wall_seconds
        return max(1, round(SAMPLE_SECONDS / max(once, 1e-6)))

    def _time(self, entries: list[_Entry], block: Block) -> Iterator[Outcome]:
        """Paired rounds, each in an order of its own. A case that fails leaves, the others go on."""
        order = random.Random(f"{self.seed} {block.id}")
        pairing = uuid.uuid4().hex[:12]
        for entry in entries:
            entry.measured = replace(entry.measured, pairing=pairing)
        end = self.clock() + self.budget.seconds
        for n in range(self.budget.rounds):
            if n and (self.clock() > end or all(narrow_enough(e.seconds, self.budget.precision) for e in entries)):
                return
            self.say(f"timing {len(entries)} methods, round {n + 1}: {block.cases[0].setting}")
            for entry in order.sample(entries, len(entries)):
                try:
                    sample = entry.worker.call("time", entry.repeats)
                except CaseFailure as failure:
                    entries.remove(entry)
                    yield self._failed(entry, failure)
                    continue
                entry.seconds.append(sample.wall_seconds / entry.repeats)
                entry.wall_seconds += sample.wall_seconds
                entry.cpu_seconds += sample.cpu_seconds

    def _finish(self, entry: _Entry, lane: int) -> _Entry | Outcome:
        """Memory, and the gradients whose errors are to be measured. The child isn't needed after it."""
        try:
            entry.worker.call("move", lane)
            if "memory" in self.measure:
                self.say(f"memory of {entry.case.label}")
                memory = entry.worker.call("memory")
                entry.measured = replace(
                    entry.measured,
                    peak_bytes=memory.peak,
                    xla_temp_bytes=memory.xla_temp,
                    retained_bytes=memory.retained,
                )
            if self._judges and not self.baseline(entry.case):
                for replicate, seed in enumerate(self._path_seeds(entry.case)):
                    self.say(f"gradient of {entry.case.label}, path {replicate + 1}")
                    entry.gradients.append(entry.worker.call("gradient", seed))
                entry.measured = replace(entry.measured, parameters=entry.gradients[0].theta.size)
        except CaseFailure as failure:
            return self._failed(entry, failure)
        entry.worker.close()
        return entry

    @property
    def _judges(self) -> bool:
        """Whether errors are measured at all."""
        return bool({"error", "adjoint_error"} & set(self.measure))

    def _path_seeds(self, case: Case) -> list[int]:
        """Of the replicates' paths. An ODE has but one."""
        count = 1 if case.noise == "none" else self.budget.replicates
        return [splitmix(self.seed, replicate + 1) for replicate in range(count)]

    def _errors(self, entries: Sequence[_Entry], values: Values) -> None:
        """Those of all gradients of a block: path by path, so that they share the references.

        What a reference fails for is remembered in its entries; the others go on.
        """
        for replicate, seed in enumerate(self._path_seeds(entries[0].case)):
            waiting = [entry for entry in entries if entry.failure is None]
            self.say(f"reference on path {replicate + 1} for {len(waiting)} methods, {entries[0].case.setting}")
            truth, bars = None, None
            if "error" in self.measure:
                try:
                    found = [entry.gradients[replicate] for entry in waiting]
                    case, most = entries[0].case, self.budget.reference_steps
                    truth, bars = self.references.call("continuous", case, values, seed, found, most)
                except CaseFailure as failure:
                    for entry in waiting:
                        entry.failure = failure
                    return
            by_scheme: dict[str, list[_Entry]] = {}
            for entry in waiting:
                by_scheme.setdefault(entry.case.scheme, []).append(entry)
            for group in by_scheme.values():
                try:
                    exact = self.references.call("discrete", group[0].case, values, seed)
                except CaseFailure as failure:
                    for entry in group:
                        entry.failure = failure
                    continue
                for entry in group:
                    columns = _columns(entry.gradients[replicate], truth, exact)
                    if bars is not None:
                        entry.bars.append(max(bars["theta"], bars["y0"]))
                        columns |= {f"reference_error_{part}": value for part, value in bars.items()}
                    for name, value in columns.items():
                        entry.errors.setdefault(name, []).append(value)
                self._explain(group, values, replicate, seed, truth)

    def _explain(
        self, group: Sequence[_Entry], values: Values, replicate: int, seed: int, truth: GradientArrays | None
    ) -> None:
        """Where errors are large: is the scheme unstable at this step, does f or g jump at a time of the grid?

        What can't be found out is not said.
        """
        case = group[0].case
        if truth is not None and truth.largest is not None and any(_far_off(entry, replicate) for entry in group):
            with contextlib.suppress(CaseFailure):
                largest = self.references.call("largest_state", case, values, seed)
                if largest is not None and not largest <= OUTGROWN * truth.largest:
                    for entry in group:
                        entry.unstable = (
                            f"{case.scheme} is unstable at this step: its states reach {largest:.2g}, the solution's"
                            f" {truth.largest:.2g}"
                        )
        missing = [entry for entry in group if self.exact(entry.case) and _misses(entry, replicate)]
        if missing and not group[0].unstable and case.stepping == "fixed":
            with contextlib.suppress(CaseFailure):
                if self.references.call("meets_a_jump", case, values, seed):
                    for entry in missing:
                        entry.note = (
                            "f or g jumps at a time of the grid: the method rounds that time in its own way, and"
                            " evaluates it on the other side of the jump"
                        )

    def _judge(self, entry: _Entry) -> Outcome:
        """The outcome of a case whose child has done all that it was asked."""
        if entry.failure is not None:
            return self._failed(entry, CaseFailure(entry.failure.status, f"no reference: {entry.failure.reason}"))
        if entry.gradients:
            lists = {name: tuple(column) for name, column in entry.errors.items()}
            bar = statistics.median(entry.bars) if entry.bars else None
            entry.measured = replace(entry.measured, reference_error=bar, **lists)
        if not all(gradient.finite() for gradient in entry.gradients):
            return Outcome(
                entry.case, "diverged", "the loss or its gradient isn't finite on the shared path", entry.so_far()
            )
        if entry.unstable:
            return Outcome(entry.case, "unstable", entry.unstable, entry.so_far())
        return Outcome(entry.case, "ok", entry.note, entry.so_far())

    def _failed(self, entry: _Entry, failure: CaseFailure) -> Outcome:
        entry.worker.close()
        return Outcome(entry.case, failure.status, failure.reason, entry.so_far())
