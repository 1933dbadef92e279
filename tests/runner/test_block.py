"""The protocol of a block, with children and a clock that are fakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.gradient_arrays import GradientArrays
from harness.initial import Values
from harness.measuring.time import Sample
from harness.record import Measured
from harness.runner.block import BlockRunner
from harness.runner.child import Built, Memory, ReferenceTarget
from harness.runner.entry import Entry
from harness.runner.job import BlockJob, CaseJob
from harness.runner.judge import Judge
from harness.runner.worker import CaseFailure
from harness.suite import Budget

TRUTH = GradientArrays(2.0, np.array([3.0, 4.0]), np.array([1.0]))


class FakeWorker:
    """Answers what a script says; remembers what it was asked."""

    def __init__(self, log: list[tuple[str, str]], method: str, script: dict[str, Any]) -> None:
        self.log, self.method, self.script, self.closed = log, method, script, False

    def call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        assert not self.closed
        name = method.__name__
        self.log.append((self.method, name))
        repeats = args[0] if name == "time" else 1
        answers = {
            "build": Built(1.0, 0.5, True),
            "time": Sample(0.02 * repeats, 0.02 * repeats),
            "calibration": 0.004,
            "memory": Memory(peak=1000, retained=2.5),
            "move": None,
            "gradient": GradientArrays(2.2, np.array([3.0, 4.5]), np.array([1.0])),
            "continuous": (TRUTH, {"theta": 0.01, "y0": 0.02, "loss": 0.03}),
            "discrete": TRUTH,
            "meets_a_jump": False,
            "remark": "",
            "largest_state": 1.0,
            "values": Values(np.zeros((4, 3)), {"a": np.zeros(2)}),
        }
        answer = self.script.get(name, answers[name])
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def measure(make_case, registry):
    """Run a block of three methods, with a script for each; return outcomes, the log and the workers."""

    def run(
        scripts: dict[str, dict[str, Any]] | None = None,
        measure: tuple[str, ...] = ("time", "memory", "error"),
        tick=0.0,
        scheme="heun",
        dtype="float64",
        measures: dict[str, tuple[str, ...]] | None = None,
        **budget: Any,
    ):
        cases = tuple(
            make_case(method=m, scheme=scheme, dtype=dtype) for m in ("torch/backprop", "jax/backprop", "torch/floor")
        )
        log: list[tuple[str, str]] = []
        workers: list[FakeWorker] = []

        def spawn(case, values, lane):
            workers.append(FakeWorker(log, case.method, (scripts or {}).get(case.method, {})))
            return workers[-1]

        now = iter(np.arange(0, 1e6) * tick)
        jobs = tuple(CaseJob(case, (measures or {}).get(case.method, measure)) for case in cases)
        runner = BlockRunner(
            job=BlockJob(cases=jobs, budget=Budget(**budget), seed=0),
            registry=registry,
            spawn=spawn,
            references=FakeWorker(log, "reference", (scripts or {}).get("reference", {})),
            cores=1,
            clock=lambda: float(next(now)),
            say=lambda _: None,
        )
        outcomes = {o.case.method: o for o in runner.run()}
        return outcomes, log, workers

    return run


@pytest.fixture
def outcomes_of(make_case, registry):
    """All outcomes of a block of cases, in their order, at most two of them alive at a time; and the workers."""

    def run(methods: tuple[str, ...], scripts: dict[str, dict[str, Any]] | None = None, **budget: Any):
        jobs = tuple(CaseJob(make_case(method=method), ("time",)) for method in methods)
        workers: list[FakeWorker] = []
        alive: list[int] = []

        def spawn(case, values, lane):
            workers.append(FakeWorker([], case.method, (scripts or {}).get(case.method, {})))
            alive.append(sum(not worker.closed for worker in workers))
            return workers[-1]

        runner = BlockRunner(
            job=BlockJob(cases=jobs, budget=Budget(**budget), seed=0),
            registry=registry,
            spawn=spawn,
            references=FakeWorker([], "reference", {}),
            cores=1,
            most_alive=2,
            say=lambda _: None,
        )
        outcomes = list(runner.run())
        assert all(worker.closed for worker in workers)
        return outcomes, max(alive)

    return run


FIVE = ("torch/backprop", "torch/floor", "jax/backprop", "torch/adjoint", "jax/adjoint")


def test_a_large_block_is_timed_in_groups_that_share_an_anchor(outcomes_of):
    outcomes, alive = outcomes_of(FIVE, rounds=3, precision=1e-9)
    assert [outcome.status for outcome in outcomes] == ["ok"] * 5
    assert alive == 3  # two, and the anchor
    assert {outcome.case.method for outcome in outcomes[-1:]} == {"torch/floor"}  # the anchor is done last
    assert len({outcome.measured.pairing for outcome in outcomes}) == 1
    assert all(len(outcome.measured.anchor_seconds) == 3 for outcome in outcomes)


def test_a_group_whose_anchor_fails_has_another(outcomes_of):
    calls = iter(range(100))

    class Fails(dict[str, Any]):
        """A floor whose sixth sample fails: it is calibrated once and timed for three rounds in the first group."""

        def get(self, name: str, default: Any = None) -> Any:
            return CaseFailure("failed", "gone") if name == "time" and next(calls) == 5 else default

    outcomes, _ = outcomes_of(FIVE, {"torch/floor": Fails()}, rounds=3, precision=1e-9)
    found = {outcome.case.method: outcome for outcome in outcomes}
    assert found["torch/floor"].status == "failed"
    assert len(found["torch/floor"].measured.seconds) == 3
    first, second, third = (found[method].measured for method in ("torch/backprop", "jax/backprop", "jax/adjoint"))
    assert len({first.pairing, second.pairing}) == 2
    assert second.pairing == third.pairing
    assert len(second.anchor_seconds) == len(third.anchor_seconds) == 3


def test_what_is_known_is_told_before_the_rest(make_case, registry):
    """The time of each case, then its memory, then its errors."""
    job = CaseJob(make_case(method="torch/backprop"), ("time", "memory", "error"))
    runner = BlockRunner(
        job=BlockJob(cases=(job,), budget=Budget(rounds=1), seed=0),
        registry=registry,
        spawn=lambda case, *_: FakeWorker([], case.method, {}),
        references=FakeWorker([], "reference", {}),
        cores=1,
        say=lambda _: None,
    )
    timed, remembered, whole = runner.run()
    assert (timed.pending, len(timed.measured.seconds), timed.measured.peak_bytes) == (("memory", "error"), 1, None)
    assert (remembered.pending, remembered.measured.peak_bytes) == (("error",), 1000)
    assert (whole.pending, len(whole.measured.gradient_error_theta)) == ((), 1)


def test_a_block_measures_everything(measure):
    outcomes, _, workers = measure(rounds=3, precision=1e-9)
    found = outcomes["torch/backprop"]
    assert found.status == "ok"
    assert found.measured.seconds == pytest.approx((0.02,) * 3)
    assert found.measured.cpu_ratio == pytest.approx(1.0)
    assert (found.measured.peak_bytes, found.measured.retained_bytes) == (1000, 2.5)
    assert found.measured.gradient_error_theta == pytest.approx((0.1,))
    assert found.measured.adjoint_error_y0 == (0.0,)
    assert found.measured.loss_error == pytest.approx((0.1,))
    assert found.measured.reference_error == 0.02
    assert (found.measured.reference_error_theta, found.measured.reference_error_y0) == ((0.01,), (0.02,))
    assert found.measured.reference_error_loss == (0.03,)
    assert outcomes["torch/floor"].measured.gradient_error_theta == ()
    assert len({o.measured.pairing for o in outcomes.values()}) == 1
    assert all(worker.closed for worker in workers)


def test_each_round_times_every_method_once_in_a_shuffled_order(measure):
    _, log, _ = measure(measure=("time",), rounds=30)
    timed = [method for method, name in log if name == "time"][6:]  # after two samples each that warm up
    rounds = [timed[i : i + 3] for i in range(0, len(timed), 3)]
    assert len(rounds) == 5  # the samples have no spread
    assert all(len(set(r)) == 3 for r in rounds)
    assert len({tuple(r) for r in rounds}) > 1


def test_the_speed_of_the_machine_is_recorded_around_the_rounds(measure):
    outcomes, log, _ = measure(measure=("time",), rounds=2)
    assert {o.measured.calibration_seconds for o in outcomes.values()} == {(0.004, 0.004)}
    assert [name for _, name in log if name in ("time", "calibration")][6:] == [
        "calibration",
        *["time"] * 6,
        "calibration",
    ]


def test_without_the_speed_of_the_machine_times_are_kept(measure):
    outcomes, *_ = measure({"torch/backprop": {"calibration": CaseFailure("failed", "no")}}, ("time",), rounds=2)
    assert {(o.status, o.measured.calibration_seconds) for o in outcomes.values()} == {("ok", ())}


def test_each_case_of_a_block_is_measured_for_what_it_lacks(measure):
    measures = {"jax/backprop": ("memory",), "torch/floor": ("time",)}
    outcomes, log, _ = measure(measure=("time", "error"), measures=measures, rounds=3, precision=1e-9)
    whole, remembered, floor = (outcomes[m].measured for m in ("torch/backprop", "jax/backprop", "torch/floor"))
    assert len(whole.seconds) == len(floor.seconds) == 3
    assert whole.pairing == floor.pairing
    assert (len(whole.gradient_error_theta), whole.peak_bytes) == (1, None)
    assert (remembered.seconds, remembered.pairing, remembered.gradient_error_theta) == ((), None, ())
    assert remembered.peak_bytes == 1000
    assert ("jax/backprop", "time") not in log


def test_replicates(measure):
    outcomes, _, _ = measure(measure=("error",), replicates=4)
    assert len(outcomes["jax/backprop"].measured.gradient_error_theta) == 4


def test_what_a_method_tells_of_itself_is_kept(measure):
    """The evaluations of f and the variance, one a replicate; none of a method that tells neither."""
    told = GradientArrays(2.2, np.array([3.0, 4.5]), np.array([1.0]), evaluations=120.0, variance=0.0)
    outcomes, _, _ = measure({"jax/backprop": {"gradient": told}}, measure=("adjoint_error",), replicates=3)
    found = outcomes["jax/backprop"].measured
    assert found.evaluations == (120.0,) * 3
    assert found.gradient_variance == (0.0,) * 3
    silent = outcomes["torch/backprop"].measured
    assert silent.evaluations == silent.gradient_variance == ()


def test_methods_that_report_other_steps_have_references_of_their_own(measure):
    """Those that report the same ones, or none, share one."""

    def gradient(*times: float) -> dict[str, Any]:
        steps = np.array(times) if times else None
        return {"gradient": GradientArrays(2.2, np.array([3.0, 4.5]), np.array([1.0]), times=steps)}

    def references(torch: dict[str, Any], jax: dict[str, Any]) -> int:
        _, log, _ = measure({"torch/backprop": torch, "jax/backprop": jax}, measure=("adjoint_error",))
        return log.count(("reference", "discrete"))

    assert references(gradient(0, 0.5, 1), gradient(0, 0.5, 1)) == 1
    assert references(gradient(0, 0.5, 1), gradient(0, 0.4, 1)) == 2
    assert references(gradient(0, 0.5, 1), gradient()) == 2


def test_errors_alone_need_no_build_of_their_own(measure):
    outcomes, log, workers = measure(measure=("error",))
    assert ("torch/backprop", "build") not in log
    assert outcomes["torch/backprop"].measured.parameters == 2
    assert outcomes["torch/backprop"].measured.compile_seconds is None
    assert ("torch/floor", "build") in log  # it has no gradient of its own: whether it runs is all that is asked of it
    assert all(worker.closed for worker in workers)


def test_the_adjoint_error_alone_needs_no_continuous_reference(measure):
    outcomes, log, _ = measure(measure=("adjoint_error",), scripts={"reference": {"continuous": CaseFailure("x", "y")}})
    found = outcomes["torch/backprop"].measured
    assert len(found.adjoint_error_theta) == 1
    assert found.gradient_error_theta == found.loss_error == ()
    assert found.reference_error is None
    assert ("reference", "continuous") not in log


def test_the_own_sweep_of_the_reference_method_is_judged_too(measure):
    """jax/backprop is compared with the discrete reference like every other method, with every scheme."""
    error = {
        scheme: measure(measure=("adjoint_error",), scheme=scheme)[0]["jax/backprop"].measured.adjoint_error_theta
        for scheme in ("heun", "reversible-heun")
    }
    assert error["heun"] == pytest.approx((0.1,))
    assert error["reversible-heun"] == pytest.approx((0.1,))


def test_rounds_end_when_the_intervals_are_narrow(measure):
    outcomes, _, _ = measure(measure=("time",), rounds=50)
    assert len(outcomes["torch/backprop"].measured.seconds) == 5  # samples without spread: as few as are ever enough


def test_rounds_end_with_the_budget_but_one_is_always_taken(measure):
    outcomes, _, _ = measure(measure=("time",), rounds=50, precision=1e-9, seconds=1, tick=10.0)
    assert len(outcomes["torch/backprop"].measured.seconds) == 1


@pytest.mark.parametrize("stage", ["build", "time", "memory", "gradient"])
@pytest.mark.parametrize("status", ["failed", "timeout", "out-of-memory"])
def test_a_failure_costs_one_case_alone(measure, stage, status):
    outcomes, _, workers = measure({"jax/backprop": {stage: CaseFailure(status, "because")}}, rounds=2)
    assert {m: o.status for m, o in outcomes.items()} == {
        "torch/backprop": "ok",
        "jax/backprop": status,
        "torch/floor": "ok",
    }
    assert outcomes["jax/backprop"].reason == "because"
    assert all(worker.closed for worker in workers)


def test_what_was_timed_before_a_failure_is_kept(measure):
    outcomes, _, _ = measure({"jax/backprop": {"memory": CaseFailure("timeout", "slow")}}, rounds=2, precision=1e-9)
    assert len(outcomes["jax/backprop"].measured.seconds) == 2


def test_a_gradient_that_is_not_finite_is_diverged(measure):
    outcomes, _, _ = measure({"jax/backprop": {"build": Built(1.0, 0.5, False)}})
    assert outcomes["jax/backprop"].status == "diverged"


def test_the_record_says_that_the_scheme_diverges_and_not_the_method_alone(measure):
    endless = GradientArrays(np.nan, np.array([np.nan, 4.0]), np.array([1.0]))
    reason = "the loss or its gradient isn't finite on the shared path"
    scripts = {"jax/backprop": {"gradient": endless}}
    outcome = measure(scripts, measure=("adjoint_error",))[0]["jax/backprop"]
    assert (outcome.status, outcome.reason) == ("diverged", reason)
    outcome = measure({**scripts, "reference": {"discrete": endless}}, measure=("adjoint_error",))[0]["jax/backprop"]
    assert outcome.status == "diverged"
    assert outcome.reason.startswith(f"{reason}; heun diverges with steps of this size")


EXPLODED = GradientArrays(1e30, np.array([3e30, 4e30]), np.array([1e30]))


@pytest.mark.parametrize(("largest", "words"), [(1e30, "1e+30"), (25.0, "reach 25")])
def test_a_solve_whose_states_outgrow_the_solution_is_unstable(measure, largest, words):
    """Whatever the method: its record keeps its numbers, and says what the reason is."""
    truth = (replace(TRUTH, largest=2.0), {"theta": 0.01, "y0": 0.02, "loss": 0.03})
    reference = {"continuous": truth, "discrete": EXPLODED, "largest_state": largest}
    scripts = {m: {"gradient": EXPLODED} for m in ("torch/backprop", "jax/backprop")} | {"reference": reference}
    outcomes, _, _ = measure(scripts)
    for method in ("torch/backprop", "jax/backprop"):
        assert outcomes[method].status == "unstable"
        assert words in outcomes[method].reason
        assert outcomes[method].measured.adjoint_error_theta == (0.0,)
    assert outcomes["torch/floor"].status == "ok"


def test_a_solve_that_is_not_finite_in_float64_is_unstable(measure):
    """Though a method gives numbers, and though no continuous reference tells how large the solution is."""
    reference = {"discrete": GradientArrays(np.nan, np.array([np.nan, 4.0]), np.array([1.0]))}
    outcomes, _, _ = measure({"reference": reference}, measure=("adjoint_error",))
    for method in ("torch/backprop", "jax/backprop"):
        assert outcomes[method].status == "unstable"
        assert "isn't finite" in outcomes[method].reason


def test_a_wrong_gradient_of_a_stable_solve_is_no_instability(measure):
    truth = (replace(TRUTH, largest=2.0), {"theta": 0.01, "y0": 0.02, "loss": 0.03})
    scripts = {"jax/backprop": {"gradient": EXPLODED}, "reference": {"continuous": truth, "largest_state": 2.1}}
    outcomes, _, _ = measure(scripts)
    assert outcomes["jax/backprop"].status == "ok"
    assert outcomes["jax/backprop"].measured.adjoint_error_theta[0] > 1e29


def test_what_is_to_know_about_a_reference_is_told(measure):
    outcomes, _, _ = measure({"reference": {"remark": "it has equal steps"}})
    judged = [outcome for outcome in outcomes.values() if outcome.measured.gradient_error_theta]
    assert {outcome.reason for outcome in judged} == {"it has equal steps"}


def test_a_method_on_the_other_side_of_a_jump_is_told_so(measure):
    off = GradientArrays(2.2, np.array([3.0, 4.5]), np.array([1.0]))
    near = GradientArrays(2.0, np.array([3.0, 4.0]) * (1 + 1e-12), np.array([1.0]))
    scripts = {
        "torch/backprop": {"gradient": near},
        "jax/backprop": {"gradient": off},
        "reference": {"meets_a_jump": True},
    }
    outcomes, _, _ = measure(scripts)
    assert (outcomes["torch/backprop"].status, outcomes["torch/backprop"].reason) == ("ok", "")
    assert outcomes["jax/backprop"].status == "ok"
    assert "jumps" in outcomes["jax/backprop"].reason


def test_a_loss_that_is_another_function_in_float64_is_told(measure):
    """By more than rounding, of a method whose gradient misses too. In float64 there is nothing to compare."""
    other = {"reference": {"discrete": GradientArrays(3.0, np.array([3.0, 4.0]), np.array([1.0]))}}
    told = measure(other, dtype="float32")[0]["torch/backprop"]
    assert told.status == "ok"
    assert told.reason.startswith("the loss is 2.2, and 3 in float64 with the same steps on the same path")
    near = GradientArrays(2.99, np.array([3.0, 4.5]), np.array([1.0]))
    assert measure(other | {"torch/backprop": {"gradient": near}}, dtype="float32")[0]["torch/backprop"].reason == ""
    assert measure(other)[0]["torch/backprop"].reason == ""


NO_PATH = CaseFailure("failed", "no path")


def test_a_reference_that_fails_costs_the_errors_against_it_alone(measure):
    """Time, memory and the error against the other reference stand, and the record says what it lacks. The reference
    is asked for once, not on every path."""
    outcomes, log, _ = measure({"reference": {"continuous": NO_PATH}}, replicates=3)
    assert {o.status for o in outcomes.values()} == {"ok"}
    found = outcomes["torch/backprop"]
    assert found.reason == "no gradient error: no reference: no path"
    assert found.measured.seconds
    assert found.measured.peak_bytes == 1000
    assert not found.measured.gradient_error_theta
    assert found.measured.adjoint_error_theta == pytest.approx((0.1,) * 3)
    assert log.count(("reference", "continuous")) == 1
    outcomes, log, _ = measure({"reference": {"discrete": NO_PATH}}, replicates=3)
    found = outcomes["torch/backprop"]
    assert (found.status, found.reason) == ("ok", "no adjoint error: no reference: no path")
    assert len(found.measured.gradient_error_theta) == 3
    assert not found.measured.adjoint_error_theta
    assert log.count(("reference", "discrete")) == 1


def test_the_errors_of_two_methods_stay_those_of_the_same_paths(make_case):
    """With adaptive steps a group differs from path to path. One whose reference failed on the first has no error on
    the second, where another's reference is there: its errors would be taken for those of the path before."""
    long, short = np.array([0.0, 1.0]), np.array([0.0, 0.5, 1.0])

    class References(FakeWorker):
        """Of three times on the first path there is no reference."""

        def call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            if method is ReferenceTarget.largest_state:
                return None
            *_, seed, times = args
            if len(times) == 3 and seed == first:
                raise NO_PATH
            return TRUTH

    judge = Judge(
        References([], "", {}), continuous=False, reference_steps=8, replicates=2, seed=0, exact=lambda _: True,
        library=lambda _: "", say=lambda _: None,
    )  # fmt: skip
    cases = [make_case(method=method, stepping="adaptive") for method in ("torch/backprop", "jax/backprop")]
    entries = [Entry(CaseJob(case, ("error",)), FakeWorker([], case.method, {}), Measured()) for case in cases]
    first, _ = judge.path_seeds(entries[0].case)
    for entry, grids in zip(entries, ((short, short), (long, short)), strict=True):
        entry.gradients = [replace(TRUTH, times=grid) for grid in grids]
    judge.compare(entries, Values(np.zeros((4, 3)), {}))
    assert [entry.errors.get("adjoint_error_theta") for entry in entries] == [None, [0.0, 0.0]]
    assert [list(entry.lacking) for entry in entries] == [["adjoint error"], []]


def test_a_case_without_any_reference_keeps_its_time(measure):
    fails = {"reference": {"continuous": NO_PATH, "discrete": NO_PATH}}
    found = measure(fails)[0]["torch/backprop"]
    assert (found.status, found.reason) == ("ok", "no gradient error and no adjoint error: no reference: no path")
    assert found.measured.seconds
    assert not found.measured.gradient_error_theta
    assert found.measured.reference_error is None


def test_a_case_of_which_nothing_is_known_failed(measure):
    fails = {"reference": {"continuous": NO_PATH, "discrete": CaseFailure("timeout", "too slow")}}
    found = measure(fails, measure=("error",))[0]["torch/backprop"]
    assert (found.status, found.reason) == ("failed", "no reference: no path")
    found = measure(fails, measure=("adjoint_error",))[0]["torch/backprop"]
    assert (found.status, found.reason) == ("timeout", "no reference: too slow")


def test_an_interrupt_ends_the_children(measure, monkeypatch):
    ended: list[FakeWorker] = []
    close = FakeWorker.close
    monkeypatch.setattr(FakeWorker, "close", lambda self: (ended.append(self), close(self))[1])
    with pytest.raises(KeyboardInterrupt):
        measure({"jax/backprop": {"build": KeyboardInterrupt()}})
    assert len({id(worker) for worker in ended}) == 3
