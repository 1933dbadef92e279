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

GRADIENT_ERROR, ADJOINT_ERROR = "gradient error", "adjoint error"
"""What a case lacks where the continuous reference failed, and where the discrete one did."""
ROUNDING = {"float64": 1e-8, "float32": 1e-3, "tf32": 1e-1}
"""An error against the same discrete solve above this isn't rounding, by the precision of the case."""
ANOTHER_LOSS = 0.01
"""A relative difference of the losses of one solve in float32 and in float64 that isn't rounding."""
OUTGROWN = 10.0
"""A solve is unstable where its states are so many times as large as the solution's, and its loss or gradient is off by
more than its own size."""


def _columns(
    found: GradientArrays, continuous: GradientArrays | None, discrete: GradientArrays | None
) -> dict[str, float]:
    """The errors, and what the method told of itself."""
    told = {"evaluations": found.evaluations, "gradient_variance": found.variance}
    return errors(found, continuous, discrete) | {name: value for name, value in told.items() if value is not None}


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

        A reference that fails costs the errors against it, and is remembered in its entries: their times stand, and
        what the other reference tells. It isn't asked for on further paths.
        """
        continuous = self.continuous
        for replicate, seed in enumerate(self.path_seeds(entries[0].case)):
            waiting = [entry for entry in entries if entry.failure is None]
            self.say(f"reference on path {replicate + 1} for {len(waiting)} methods, {entries[0].case.setting}")
            reference, bars = None, None
            if continuous:
                try:
                    found = [entry.gradients[replicate] for entry in waiting]
                    case, most = entries[0].case, self.reference_steps
                    reference, bars = self.references.call(ReferenceTarget.continuous, case, values, seed, found, most)
                    remark = self.references.call(ReferenceTarget.remark, case)
                except CaseFailure as failure:
                    continuous, reference, bars, remark = False, None, None, ""
                    for entry in waiting:
                        entry.lacks(GRADIENT_ERROR, failure)
                for entry in waiting:
                    entry.remark(remark)
            by_solve: dict[tuple[str, str, bytes], list[Entry]] = {}
            for entry in waiting:
                times = entry.gradients[replicate].times
                steps = b"" if times is None else times.tobytes()
                by_solve.setdefault((entry.case.scheme, self.library(entry.case), steps), []).append(entry)
            for group in by_solve.values():
                discrete = self._discrete(group, values, replicate, seed)
                for entry in group:
                    try:
                        lost = ADJOINT_ERROR in entry.lacking  # on an earlier path: errors are by path
                        columns = _columns(entry.gradients[replicate], reference, None if lost else discrete)
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
                if compared and not any(ADJOINT_ERROR in entry.lacking for entry in compared):
                    self._explain(compared, values, replicate, seed, reference)
                if discrete is not None:
                    self._compare_losses(compared, replicate, discrete)

    def _discrete(self, group: Sequence[Entry], values: Values, replicate: int, seed: int) -> GradientArrays | None:
        """The gradient of the solve that all of a group do, None where there is none."""
        if all(ADJOINT_ERROR in entry.lacking for entry in group):
            return None
        times = group[0].gradients[replicate].times
        try:
            discrete = self.references.call(ReferenceTarget.discrete, group[0].case, values, seed, times)
        except CaseFailure as failure:
            for entry in group:
                entry.lacks(ADJOINT_ERROR, failure)
            return None
        if discrete is None:
            for entry in group:
                entry.remark(f"no adjoint error: {entry.case.backend} doesn't say which steps it accepted")
        return discrete

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

    def _compare_losses(self, group: Sequence[Entry], replicate: int, discrete: GradientArrays) -> None:
        """An exact method whose loss isn't that of the same solve in float64: its error compares two functions."""
        for entry in group:
            if entry.case.dtype == "float64" or entry.unstable or entry.case.stepping != "fixed":
                continue
            own, other = entry.gradients[replicate].loss, discrete.loss
            if self.exact(entry.case) and _misses(entry, replicate) and abs(own - other) > ANOTHER_LOSS * abs(other):
                entry.remark(
                    f"the loss is {own:.4g}, and {other:.4g} in float64 with the same steps on the same path: there it"
                    " is another function, or the solve magnifies rounding"
                )

    def outcome(self, entry: Entry) -> Outcome:
        """The outcome of a case whose child has done all that it was asked."""
        if entry.failure is not None:
            return failed(entry, entry.failure)
        if entry.gradients:
            lists = {name: tuple(column) for name, column in entry.errors.items()}
            bar = statistics.median(entry.bars) if entry.bars else None
            entry.measured = replace(entry.measured, reference_error=bar, **lists)
            if entry.lacking and not entry.has_numbers:
                return failed(entry, next(iter(entry.lacking.values())))
            entry.remark_lacking()
        if not all(gradient.finite() for gradient in entry.gradients):
            reason = "; ".join(
                filter(None, ["the loss or its gradient isn't finite on the shared path", entry.unstable])
            )
            return Outcome(entry.case, "diverged", reason, entry.so_far())
        if entry.unstable:
            return Outcome(entry.case, "unstable", entry.unstable, entry.so_far())
        return Outcome(entry.case, "ok", entry.note, entry.so_far())


def failed(entry: Entry, failure: CaseFailure) -> Outcome:
    """The outcome of a case whose child couldn't go on."""
    entry.worker.close()
    return Outcome(entry.case, failure.status, failure.reason, entry.so_far())
