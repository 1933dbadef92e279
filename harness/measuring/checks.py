"""Shapes and precision of what a problem and a method give: nothing is left to broadcasting."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.arrays import A, Namespace, Scalar, Theta
from harness.case import Case
from harness.errors import ProblemError, shown
from harness.gradient_arrays import GradientArrays, relative_error
from harness.grid import Grid, count_of
from harness.initial import Values
from harness.measuring.framework import AbstractFramework, Function, Outline
from harness.method import Gradient
from harness.problem import AbstractProblem
from harness.stepping.reported import with_exact_ends

if TYPE_CHECKING:
    from jaxtyping import Float

LONGEST_NOTE = 500
"""In characters."""


def check_problem(problem: AbstractProblem, values: Values, case: Case, framework: AbstractFramework) -> None:
    """Evaluate f, g and the loss once, in the framework's arrays. Raises ProblemError.

    So it is found what broadcasting would hide, such as a drift of shape (batch, 1), and a float32 that becomes
    float64 on the way, or the other way round.
    """
    batch, dim = values.y0.shape
    ys = np.broadcast_to(values.y0, (count_of(case.observations), batch, dim))

    def loss(xp: Namespace, t: Scalar, y: A, theta: Theta[A]) -> A:
        del t, theta
        return problem.loss(xp, y)

    _check(problem, "drift", framework, case, problem.drift, (values.y0, values.theta), (batch, dim))
    if problem.noise == "diagonal":
        _check(problem, "diffusion", framework, case, problem.diffusion, (values.y0, values.theta), (batch, dim))
    elif problem.noise != "none":
        y = values.y0[:1] if problem.noise == "additive" else values.y0
        needed = (len(y), dim, problem.noise_dim)
        _check(problem, "diffusion", framework, case, problem.diffusion, (y, values.theta), needed)
    if problem.shares and problem.noise != "none":
        _check_together(problem, values, case, framework)
    _check(problem, "loss", framework, case, loss, (ys, {}), ())


def _check_together(problem: AbstractProblem, values: Values, case: Case, framework: AbstractFramework) -> None:
    """`drift_and_diffusion` must give what `drift` and `diffusion` give: methods use the one or the others."""
    rounding = 1e-4 if case.dtype == "float32" else 1e-10

    def drift(xp: Namespace, t: Scalar, y: A, theta: Theta[A]) -> A:
        return problem.drift_and_diffusion(xp, t, y, theta)[0]

    def diffusion(xp: Namespace, t: Scalar, y: A, theta: Theta[A]) -> A:
        return problem.drift_and_diffusion(xp, t, y, theta)[1]

    for part, alone, together in (("drift", problem.drift, drift), ("diffusion", problem.diffusion, diffusion)):
        apart, joint = (
            framework.numbers(function, problem.t0, values.y0, values.theta, case.dtype)
            for function in (alone, together)
        )
        if apart.shape != joint.shape or not np.allclose(apart, joint, rtol=rounding, atol=rounding, equal_nan=True):
            raise ProblemError(f"the {part} of {problem.name} is another one in drift_and_diffusion")


def _check(
    problem: AbstractProblem,
    part: str,
    framework: AbstractFramework,
    case: Case,
    function: Function,
    arguments: tuple[np.ndarray, Mapping[str, np.ndarray]],
    needed: tuple[int, ...],
) -> None:
    try:
        shape, dtype = framework.outline(function, problem.t0, *arguments, case.dtype)
    except Exception as error:
        words = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise ProblemError(
            f"{problem.name} can't be evaluated in {framework.label}: its {part} raises {words}"
        ) from error
    if shape != needed:
        raise ProblemError(f"the {part} of {problem.name} has shape {shape}; needed: {needed}")
    if dtype != case.dtype:
        raise ProblemError(f"the {part} of {problem.name} is {dtype} where y is {case.dtype}")


def with_checked_states(problem: AbstractProblem, case: Case) -> AbstractProblem:
    """The problem with a loss that raises ProblemError where the states that it is given have a wrong shape."""
    kind: Any = type(problem)  # a base class that is known only here
    needed = (count_of(case.observations), case.batch, case.dim)

    class Checked(kind):
        """The same problem, with an eye on the states."""

        def loss(self, xp: Namespace, ys: Float[A, "observations batch dim"]) -> Float[A, ""]:
            """The loss of states of the right shape."""
            if tuple(ys.shape) != needed:
                raise ProblemError(
                    f"the states that {case.method} gives to the loss have shape {tuple(ys.shape)}; needed: "
                    f"(observations, batch, dim) = {needed}"
                )
            return super().loss(xp, ys)

    checked = copy.copy(problem)
    object.__setattr__(checked, "__class__", Checked)
    return checked


def check_kind(gradient: object, case: Case) -> None:
    """A method gives a Gradient whose `theta` is a mapping. Raises ProblemError."""
    if not isinstance(gradient, Gradient):
        raise ProblemError(f"{case.method} gives {type(gradient).__name__}; needed: Gradient(loss, theta, y0)")
    if not isinstance(gradient.theta, Mapping):
        given = type(gradient.theta).__name__
        raise ProblemError(f"{case.method} gives {given} for theta; needed: a mapping from parameters to gradients")


def check_gradient(gradient: Gradient, values: Values, case: Case, framework: AbstractFramework) -> None:
    """A method's gradient has a scalar loss, θ's names, each parameter's shape, y0's shape. Raises ProblemError."""
    if set(gradient.theta) != set(values.theta):
        given, needed = (", ".join(sorted(map(str, names))) or "none" for names in (gradient.theta, values.theta))
        raise ProblemError(f"{case.method} gives gradients for the parameters {given}; needed: {needed}")
    rows = [("loss", gradient.loss, ()), ("gradient for y0", gradient.y0, values.y0.shape)]
    rows += [(f"gradient for {name}", gradient.theta[name], value.shape) for name, value in values.theta.items()]
    for what, found, needed in rows:
        shape, dtype = _form(found, f"the {what} that {case.method} gives", framework)
        if shape != needed:
            raise ProblemError(f"the {what} that {case.method} gives has shape {shape}; needed: {needed}")
        if dtype is None and (needed or not _is_real(found)):
            raise ProblemError(f"the {what} that {case.method} gives is {type(found).__name__}; needed: {case.dtype}")
        if dtype is not None and dtype != case.dtype:
            raise ProblemError(f"the {what} that {case.method} gives is {dtype} in a case of {case.dtype}")
    _check_told(gradient, case)


def _form(found: Any, what: str, framework: AbstractFramework) -> Outline:
    """The shape and the dtype of what a method gives, which may be anything."""
    try:
        return framework.form(found)
    except Exception as error:
        raise ProblemError(f"{what} can't be read as an array: {type(error).__name__}: {error}") from error


def _is_real(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_told(gradient: Gradient, case: Case) -> None:
    """The evaluations and the variance that a method may tell are numbers of 0 or more."""
    for name in ("evaluations", "variance"):
        told = getattr(gradient, name)
        try:
            holds = told is None or not float(told) < 0  # where a solve diverges, a variance isn't a number
        except (TypeError, ValueError, OverflowError, RuntimeError):
            holds = False
        if not holds:
            raise ProblemError(f"the {name} that {case.method} tells is {shown(told)}; needed: a number of 0 or more")


def note_of(compute: object, case: Case) -> str:
    """What the callable that a method built says of itself in its attribute `note`, in a line. Raises ProblemError."""
    note = getattr(compute, "note", "")
    if not isinstance(note, str):
        raise ProblemError(f"the note of {case.method} is {shown(note)}; needed: text")
    return " ".join(note.split())[:LONGEST_NOTE]


def bytes_of(compute: object, name: str, case: Case) -> int | None:
    """A count of bytes that the callable gives in its method of this name, if it has one. Raises ProblemError."""
    count = getattr(compute, name, None)
    found = count() if callable(count) else count
    if found is not None and (not isinstance(found, int) or isinstance(found, bool)):
        raise ProblemError(f"{name} of {case.method} gives {shown(found)}; needed: a number of bytes")
    return found


def check_times(gradient: Gradient, problem: AbstractProblem, case: Case) -> None:
    """The accepted steps that a method reports are steps of the case's solve. Raises ProblemError."""
    if gradient.times is None:
        return
    try:
        with_exact_ends(np.asarray(gradient.times, dtype=np.float64), Grid.of_case(problem, case))
    except (TypeError, ValueError) as error:
        raise ProblemError(f"the times of the steps that {case.method} reports: {error}") from error


def check_repeated(first: GradientArrays, second: GradientArrays, case: Case) -> None:
    """A second call gives the gradient of the first. Raises ProblemError.

    It doesn't where a call changes the parameters or leaves something behind. Equal to rounding is enough, since a
    device may add up in any order.
    """
    if not (first.finite() and second.finite()):
        return
    for part, name in (("theta", "θ"), ("y0", "y0")):
        distance = relative_error(getattr(second, part), getattr(first, part))
        if distance > repeated_tolerance(case.dtype):
            raise ProblemError(
                f"the second call of {case.method} gives another gradient for {name} than its first, by {distance:.2g}"
            )


def repeated_tolerance(dtype: str) -> float:
    """Relative. Sums in another order differ by a few units of the last place, which a long solve may amplify."""
    return 1e5 * float(np.finfo(dtype).eps)
