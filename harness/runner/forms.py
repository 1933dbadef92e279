"""Before anything is measured: can the problems that plugins bring be evaluated where the plan wants them?"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import replace

from harness.case import Case
from harness.measuring.framework import FRAMEWORKS
from harness.plan import Plan
from harness.registry import Registry
from harness.runner.child import FormTarget
from harness.runner.worker import CaseFailure, Worker, start_server
from harness.suite import Suite

REFERENCE = ("jax", "float64")
"""The framework in which references are computed, and their precision."""


def refuse_unworkable(plan: Plan, suite: Suite, registry: Registry) -> Plan:
    """The plan without the cases whose problem can't be evaluated in their framework or in that of the references.

    Each problem of a plugin is evaluated once in every framework, in a child: its values, f, g and loss. The built-in
    ones are tested, and are believed.
    """
    foreign = [case for case in plan.cases if not registry.is_built_in(case.problem)]
    if not foreign:
        return plan
    judges = bool({"error", "adjoint_error"} & set(suite.measure))
    with contextlib.ExitStack() as stack:
        forms = _Forms(suite, stack)

        def reason(case: Case) -> str | None:
            if registry.is_built_in(case.problem):
                return None
            method = registry.method(case.method)
            refused = forms.refusal(case, method.framework, case.dtype)
            if refused is None and judges and not method.baseline:
                refused = forms.refusal(case, *REFERENCE)
                refused = refused and f"its errors have no reference, because references are computed in JAX: {refused}"
            return refused

        return plan.refusing(reason)


class _Forms:
    """What was found of each problem so far; a child for each precision."""

    def __init__(self, suite: Suite, stack: contextlib.ExitStack) -> None:
        self._suite, self._stack = suite, stack
        self._workers: dict[str, Worker[FormTarget]] = {}
        self._found: dict[Case, dict[str, str]] = {}

    def refusal(self, case: Case, framework: str, dtype: str) -> str | None:
        """Why the case's problem can't be evaluated there, or None."""
        key = replace(case, method="", scheme="", steps=0, stepping="", rtol=0.0, atol=0.0, brownian="", dtype=dtype)
        if key not in self._found:
            self._found[key] = self._ask(case, dtype)
        return self._found[key].get(framework)

    def _ask(self, case: Case, dtype: str) -> dict[str, str]:
        worker = self._workers.get(dtype)
        if worker is None:
            budget = self._suite.budget
            worker = Worker(
                start_server(),
                functools.partial(FormTarget, self._suite.plugins, dtype),
                timeout=budget.timeout,
                memory=int(budget.memory),
            )
            self._workers[dtype] = worker
            self._stack.callback(worker.close)
        try:
            return worker.call(FormTarget.refusals, case)
        except CaseFailure as failure:
            worker.close()
            del self._workers[dtype]
            return dict.fromkeys(FRAMEWORKS, f"{case.problem} can't be evaluated: {failure.reason}")
