"""A model's solves by a native JAX method."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from harness.brownian.jax_noise import NoiseArgument
from harness.case import Case
from harness.errors import ProblemError
from harness.jax._drive import AbstractDrive, Made, NoNoise
from harness.jax._equation import Equation, Found, Functions, Theta, equation
from harness.jax._integrate import matrix
from harness.jax._solve import solved
from harness.jax._state import Form, of_matrix
from harness.methods.jax._method import AbstractSweepMethod
from harness.models.facts import ModelFacts
from harness.models.jax.call import Call
from harness.models.jax.samples import not_mapped_later, over_samples
from harness.models.jax.solve import AbstractSolver
from harness.scheme import AbstractScheme
from harness.stepping import Asked

COMPILED_INSIDE = (
    "solve is called in a function that is compiled and then mapped by jax.vmap; needed: jax.jit around jax.vmap, or no"
    " jit, since the whole loss is compiled"
)


@dataclass(frozen=True)
class Posed:
    """A call of a batch as an equation, with its arrays and its initial state as a matrix, which has this form."""

    equation: Equation
    theta: Theta
    y0: Float[Array, "batch dim"]
    form: Form

    @classmethod
    def of(cls, call: Call, found: Found) -> Posed:
        """Raises ProblemError where f, g or y0 have another shape or precision than is needed."""
        call = call.increasing()
        times = call.schedule.times[0], call.schedule.times[-1]
        try:
            form = Form.of(call.y0)
            functions = call.functions
            if call.noise == "none":
                functions = Functions(of_matrix(call.functions.drift, form))
            y0 = matrix(form.pack(call.y0))
            sde, theta = equation(functions, call.args, y0, times, (call.noise, call.calculus), found)
        except ValueError as error:
            raise ProblemError(str(error)) from error
        return cls(sde, theta, y0, form)


@dataclass(frozen=True)
class NativeSolver(AbstractSolver):
    """`found` says what was found of the noise, whatever the model declares. `brownian` is that of the case.

    `stratonovich` poses an Itô equation in its Stratonovich form, by the exact correction. With `dtype` the state is
    made to be of that precision. f and g are evaluated `shift` later than they should be.
    """

    method: AbstractSweepMethod
    scheme: AbstractScheme
    steps: int
    brownian: str = "shared"
    stepping: str = "fixed"
    rtol: float = 0.0
    atol: float = 0.0
    found: Found = field(default_factory=Found)
    stratonovich: bool = False
    dtype: str | None = None
    shift: float = 0.0

    @classmethod
    def of_case(
        cls,
        method: AbstractSweepMethod,
        scheme: AbstractScheme,
        case: Case,
        facts: ModelFacts,
        *,
        shift: float = 0.0,
    ) -> NativeSolver:
        """With the steps of a case."""
        adaptive = (case.rtol, case.atol) if case.stepping == "adaptive" else (0.0, 0.0)
        how = (case.brownian, case.stepping, *adaptive, found_of(facts))
        return cls(method, scheme, case.steps, *how, shift=shift)

    def solve(self, call: Call, noise: NoiseArgument) -> PyTree:
        """One solve of all samples."""
        return over_samples(self.prepared(call), lambda batch: self.solve_batch(batch, noise))

    def prepared(self, call: Call) -> Call:
        """The call in the solver's precision, f and g being evaluated `shift` later."""
        if self.shift:
            call = replace(call, functions=call.functions.each(lambda function: Shifted(function, self.shift)))
        return call if self.dtype is None else with_dtype(call, self.dtype)

    def solve_batch(self, call: Call, noise: NoiseArgument) -> PyTree:
        """As `harness.jax.sdeint` and `odeint`."""
        posed = Posed.of(call, self.found)
        drive: AbstractDrive = NoNoise()
        if call.noise != "none":
            drive = Made(not_mapped_later(noise, call.arrays(), COMPILED_INSIDE), self.brownian)
        try:
            asked = Asked.of(call.increasing().schedule.array(), self.steps, None, self.rtol, self.atol)
            states = solved(
                posed.equation,
                posed.theta,
                posed.y0,
                method=self.method,
                scheme=self.scheme,
                asked=asked,
                drive=drive,
                stratonovich=self.stratonovich,
            )
        except ValueError as error:
            raise ProblemError(str(error)) from error
        return posed.form.unpack(states)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Shifted:
    """A vector field evaluated later. A tree, as the vector field may be."""

    vector_field: Any
    shift: float = field(metadata={"static": True})

    def __call__(self, t: Float[Array, ""], y: PyTree, args: PyTree) -> PyTree:
        """At t + shift."""
        return self.vector_field(t + self.shift, y, args)


def found_of(facts: ModelFacts) -> Found:
    """What the probe found of the noise."""
    return Found(facts.reads_no_state and facts.noise != "additive", facts.commutes)


def with_dtype(call: Call, dtype: str) -> Call:
    """The call with a state of this precision. f and g give it where all that they read is of it, or narrower."""
    return Call(**{**vars(call), "y0": jax.tree.map(lambda x: jnp.asarray(x, dtype), call.y0)})
