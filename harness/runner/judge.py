"""What the gradients of a block are worth: their errors, and why they are large."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from harness.case import Case
from harness.gradient_arrays import GradientArrays
from harness.initial import Values
from harness.measuring.error import errors
from harness.random import splitmix
from harness.runner.child import ReferenceTarget
from harness.runner.entry import AbstractWorker, Entry
from harness.runner.job import Outcome
from harness.runner.worker import CaseFailure

ROUNDING = {"float64": 1e-8, "float32": 1e-3, "tf32": 1e-1}
"""An error against the same discrete solve above this isn't rounding, by the precision of the case."""
OUTGROWN = 10.0
"""A solve is unstable where its states are so many times as large as the solution's, and its loss or gradient is off by
more than its own size."""


def _columns(
    found: GradientArrays, continuous: GradientArrays | None, discrete: GradientArrays | None
) -> dict[str, float]:
    """The errors, and what the method told of itself."""
    told = {"evaluations": found.evaluations, "gradient_variance": found.variance}
    return errors(found, continuous, discrete) | {name: value for name, value in told.items() if value is not None}


def _without_reference(failure: CaseFailure) -> CaseFailure:
    return CaseFailure(failure.status, f"no reference: {failure.reason}")


def _far_off(entry: Entry, replicate: int) -> bool:
    """Whether the loss or the gradient is off by more than its own size, so that the solve may be unstable."""
    names = ("loss_error", "gradient_error_theta", "gradient_error_y0")
    return not all(entry.errors[name][replicate] <= 1 for name in names if name in entry.errors)


def _misses(entry: Entry, replicate: int) -> bool:
    """Whether the gradient differs from the discrete reference by more than rounding."""
    rounding = ROUNDING[entry.case.precision]
    names = [name for name in ("adjoint_error_theta", "adjoint_error_y0") if name in entry.errors]
    return not all(entry.errors[name][replicate] <= rounding for name in names)


@dataclass(frozen=True)
class Judge:
    """Compares gradients with the references that the child `references` computes.

    Each is compared with the discrete reference, and with the continuous reference where `continuous` is set. `exact`
    says whether a method claims the gradient of the discrete solve, `library` names the
    library whose solve of a model isn't that of the harness's own steps, "" where it is; `say` hears what is going on.
    """

    references: AbstractWorker[ReferenceTarget]
    continuous: bool
    reference_steps: int
    replicates: int
    seed: int
    exact: Callable[[Case], bool]
    library: Callable[[Case], str]
    say: Callable[[str], None]

    def path_seeds(self, case: Case) -> list[int]:
        """Of the replicates' paths. An ODE has but one."""
        count = 1 if case.noise == "none" else self.replicates
        return [splitmix(self.seed, replicate + 1) for replicate in range(count)]

    def compare(self, entries: Sequence[Entry], values: Values) -> None:
        """The errors of all gradients of a block: path by path, so that they share the references.

        What a reference fails for is remembered in its entries; the others go on.
        """
        for replicate, seed in enumerate(self.path_seeds(entries[0].case)):
            waiting = [entry for entry in entries if entry.failure is None]
            self.say(f"reference on path {replicate + 1} for {len(waiting)} methods, {entries[0].case.setting}")
            reference, bars = None, None
            if self.continuous:
                try:
                    found = [entry.gradients[replicate] for entry in waiting]
                    case, most = entries[0].case, self.reference_steps
                    reference, bars = self.references.call(ReferenceTarget.continuous, case, values, seed, found, most)
                    remark = self.references.call(ReferenceTarget.remark, case)
                except CaseFailure as failure:
                    for entry in waiting:
                        entry.failure = _without_reference(failure)
                    return
                for entry in waiting:
                    entry.remark(remark)
            by_solve: dict[tuple[str, str, bytes], list[Entry]] = {}
            for entry in waiting:
                times = entry.gradients[replicate].times
                steps = b"" if times is None else times.tobytes()
                by_solve.setdefault((entry.case.scheme, self.library(entry.case), steps), []).append(entry)
            for group in by_solve.values():
                try:
                    times = group[0].gradients[replicate].times
                    discrete = self.references.call(ReferenceTarget.discrete, group[0].case, values, seed, times)
                except CaseFailure as failure:
                    for entry in group:
                        entry.failure = _without_reference(failure)
                    continue
                for entry in group:
                    if discrete is None:
                        entry.remark(f"no adjoint error: {entry.case.backend} doesn't say which steps it accepted")
                    try:
                        columns = _columns(entry.gradients[replicate], reference, discrete)
                    except ValueError as error:  # arrays of other sizes, which costs this case alone
                        entry.failure = CaseFailure(
                            "failed", f"its gradient and the reference can't be compared: {error}"
                        )
                        continue
                    if bars is not None:
                        entry.bars.append(max(bars["theta"], bars["y0"]))
                        columns |= {f"reference_error_{part}": value for part, value in bars.items()}
                    for name, value in columns.items():
                        entry.errors.setdefault(name, []).append(value)
                if discrete is not None and not discrete.finite():
                    for entry in group:
                        entry.unstable = (
                            f"{entry.case.scheme} diverges with steps of this size: the float64 gradient of the same"
                            " solve isn't finite"
                        )
                compared = [entry for entry in group if entry.failure is None]
                if compared:
                    self._explain(compared, values, replicate, seed, reference)

    def _explain(
        self, group: Sequence[Entry], values: Values, replicate: int, seed: int, continuous: GradientArrays | None
    ) -> None:
        """Where errors are large: is the scheme unstable at this step, does f or g jump at a time of the grid?

        What can't be found out is not said.
        """
        case = group[0].case
        if group[0].unstable:
            return
        solution = None if continuous is None else continuous.largest
        if solution is not None and any(_far_off(entry, replicate) for entry in group):
            with contextlib.suppress(CaseFailure):
                largest = self.references.call(ReferenceTarget.largest_state, case, values, seed)
                if largest is not None and not largest <= OUTGROWN * solution:
                    for entry in group:
                        entry.unstable = (
                            f"{case.scheme} is unstable with steps of this size: its states reach {largest:.2g},"
                            f" those of the solution {solution:.2g}"
                        )
        missing = [entry for entry in group if self.exact(entry.case) and _misses(entry, replicate)]
        if missing and not group[0].unstable and case.stepping == "fixed":
            with contextlib.suppress(CaseFailure):
                if self.references.call(ReferenceTarget.meets_a_jump, case, values, seed):
                    for entry in missing:
                        entry.remark(
                            "f or g jumps at a time of the grid: the method rounds that time in its own way, and"
                            " evaluates it on the other side of the jump"
                        )

    def outcome(self, entry: Entry) -> Outcome:
        """The outcome of a case whose child has done all that it was asked."""
        if entry.failure is not None:
            return failed(entry, entry.failure)
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


def failed(entry: Entry, failure: CaseFailure) -> Outcome:
    """The outcome of a case whose child couldn't go on."""
    entry.worker.close()
    return Outcome(entry.case, failure.status, failure.reason, entry.so_far())
