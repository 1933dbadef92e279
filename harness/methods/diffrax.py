"""diffrax's gradient methods (version 0.7; docs.kidger.site/diffrax)."""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

from harness.backend import AbstractBackend
from harness.backend_facts import Style
from harness.case import Case
from harness.lazy import lazily
from harness.library import AbstractJaxLibraryMethod
from harness.methods._support import at_least_one

if TYPE_CHECKING:
    import diffrax
    import jax
    import jax.numpy as jnp
    import lineax
    from jaxtyping import Array, Float

    from harness.brownian import diffrax_path, jax_noise
    from harness.brownian.jax_noise import NoiseArgument
    from harness.methods import _diffrax_model, _diffrax_term
    from harness.methods.jax._solve import JaxSolve
    from harness.models.jax.solve import AbstractSolver
    from harness.scheme import AbstractScheme
else:
    diffrax, jax, jnp, lineax, diffrax_path, jax_noise, _diffrax_model, _diffrax_term = lazily(
        "diffrax",
        "jax",
        "jax.numpy",
        "lineax",
        "harness.brownian.diffrax_path",
        "harness.brownian.jax_noise",
        "harness.methods._diffrax_model",
        "harness.methods._diffrax_term",
    )

_SOLVERS = {
    "heun": "Heun",
    "euler": "Euler",
    "midpoint": "Midpoint",
    "ralston": "Ralston",
    "reversible-heun": "ReversibleHeun",
    "euler-heun": "EulerHeun",
    "slowrk": "SlowRK",
    "dopri5": "Dopri5",
}


_WITHOUT_ESTIMATE = ("Euler", "EulerHeun", "ItoMilstein", "StratonovichMilstein", "SlowRK")
"""Those that don't tell the error of a step."""
_RUNGE_KUTTA = ("Heun", "Midpoint", "Ralston", "Dopri5", "SlowRK")


class Diffrax(AbstractBackend):
    """ODEs and SDEs in JAX."""

    name = "diffrax"
    framework = "jax"
    summary = "diffeqsolve with its adjoints, for ODEs and SDEs"
    homepage = "https://docs.kidger.site/diffrax"
    packages = ("diffrax", "equinox", "lineax")
    module = "diffrax"
    compiled = True
    building_seconds_cpu = 3.2
    building_seconds_cuda = 9.0
    comparable = {
        "recursive-checkpoint": ("jax/backprop", "jax/recursive-checkpoint", "jax/reversible"),
        "direct": ("jax/backprop",),
        "backsolve": ("jax/adjoint",),
    }
    schemes = {
        "none": _SOLVERS,
        "ito": {**_SOLVERS, "milstein": "ItoMilstein"},
        "stratonovich": {**_SOLVERS, "milstein": "StratonovichMilstein"},
    }
    refused = {
        "srk": "diffrax's SRA1 evaluates g at the start of a step; Rößler's SRA1, and this scheme, do so at the end"
    }
    style = Style("D", (4, 2))

    def unsupported(self, case: Case) -> str | None:
        """What diffrax has no solver for."""
        if case.scheme == "euler-heun" and case.noise == "additive":
            return "diffrax's EulerHeun evaluates g twice at the start of a step: Euler's scheme, for additive noise"
        return super().unsupported(case)


def _terms(solve: JaxSolve, noise: NoiseArgument, batch: int) -> diffrax.AbstractTerm:
    problem, case = solve.problem, solve.case
    drift = diffrax.ODETerm(lambda t, y, theta: problem.drift(jnp, t, y, theta))
    if noise is None:
        return drift
    shape = jax.ShapeDtypeStruct((batch, problem.noise_dim), case.dtype)
    levy_area = diffrax.SpaceTimeLevyArea if solve.scheme.needs_levy_area else diffrax.BrownianIncrement
    span = {"t0": problem.t0, "t1": problem.t1, "levy_area": levy_area}
    if jax_noise.is_key(noise):
        brownian = diffrax.VirtualBrownianTree(tol=float(solve.grid.lengths.min()) / 2, shape=shape, key=noise, **span)
    else:
        W, H = noise if isinstance(noise, tuple) else (noise, noise)  # without the need, H is never asked for
        brownian = diffrax_path.InjectedBrownian(W=W, H=H, times=solve.time(jnp.arange(solve.steps + 1)), **span)

    if problem.noise == "diagonal":
        noise_term = diffrax.ControlTerm(
            lambda t, y, theta: lineax.DiagonalLinearOperator(problem.diffusion(jnp, t, y, theta)), brownian
        )
    else:
        noise_term = _diffrax_term.BatchedControlTerm(lambda t, y, theta: problem.diffusion(jnp, t, y, theta), brownian)
    return diffrax.MultiTerm(drift, noise_term)


@dataclass(frozen=True)
class _Diffrax(AbstractJaxLibraryMethod):
    """`diffeqsolve` with one of diffrax's adjoints."""

    backend = Diffrax()
    adjoint: ClassVar[str]
    """The name of its class."""
    takes_models = True
    steppings = ("fixed", "adaptive")
    path_at_any_time = True
    step_seconds = 7.2e-4

    def unsupported(self, case: Case) -> str | None:
        """Adaptive steps, whose states diffrax interpolates, so that there is no discrete solve to compare with."""
        if case.stepping == "adaptive":
            return "diffrax's adaptive steps are supported for your own models only"
        return self.unsolved(case)

    def unsupported_model(self, case: Case) -> str | None:
        """As with a problem, but for adaptive steps."""
        if case.stepping == "adaptive" and case.noise != "none" and case.scheme == "euler":
            return "diffrax refuses Euler's method for an SDE with adaptive steps"
        return self.unsolved(case)

    def unsolved(self, case: Case) -> str | None:
        """Why this adjoint can't solve a case, of a problem or of a model, or None."""
        return self.backend.unsupported(case)

    def doubled(self, case: Case) -> bool:
        """Whether the adaptive steps of a case are compared with half steps, by diffrax's HalfSolver.

        They are where the solver has no estimate of its own, and for noise that may read the state: an embedded
        estimate compares with Euler's method, which converges to the Itô solution.
        """
        noisy = case.noise not in ("none", "additive")
        return case.stepping == "adaptive" and (noisy or self.backend.scheme_name(case) in _WITHOUT_ESTIMATE)

    def model_solver(self, case: Case, scheme: AbstractScheme) -> AbstractSolver:
        """`diffeqsolve` with the model's own terms."""
        name, options, doubled = self.backend.scheme_name(case), tuple(asdict(self).items()), self.doubled(case)
        return _diffrax_model.DiffraxSolver(
            case, name, self.adjoint, options, levy_area=scheme.needs_levy_area, doubled=doubled
        )

    def states(
        self, solve: JaxSolve, y0: Float[Array, "batch dim"], theta: dict[str, Array], noise: NoiseArgument
    ) -> Float[Array, "observations batch dim"]:
        """`diffeqsolve` as its documentation has it.

        The whole batch is one state, with one Brownian path of its shape: faster than mapping over the batch.
        ItoMilstein is mapped all the same, since it takes all pairs of Brownian motions, those of two samples too.
        """
        if self.backend.scheme_name(solve.case) != "ItoMilstein":
            return self._solved(solve, y0, theta, noise)
        if jax_noise.is_key(noise):
            samples, axis = jax.random.split(noise, solve.case.batch), 0
        else:
            assert isinstance(noise, jax.Array)  # of an SDE, and without H
            samples, axis = noise[:, :, None], 1
        one = functools.partial(self._solved, solve)
        return jax.vmap(one, in_axes=(0, None, axis), out_axes=1)(y0[:, None], theta, samples)[:, :, 0]

    def _solved(
        self, solve: JaxSolve, y0: Float[Array, "batch dim"], theta: dict[str, Array], noise: NoiseArgument
    ) -> Float[Array, "observations batch dim"]:
        problem, case, step = solve.problem, solve.case, solve.grid.equal_step
        times = solve.time(jnp.arange(solve.steps + 1))
        ys = diffrax.diffeqsolve(
            _terms(solve, noise, y0.shape[0]),
            getattr(diffrax, self.backend.scheme_name(case))(),
            t0=problem.t0,
            t1=problem.t1,
            dt0=step,
            y0=y0,
            args=theta,
            adjoint=getattr(diffrax, self.adjoint)(**asdict(self)),
            saveat=diffrax.SaveAt(ts=times[solve.grid.observed]),
            stepsize_controller=diffrax.StepTo(times) if step is None else diffrax.ConstantStepSize(),
            max_steps=case.steps,
            throw=False,
        ).ys
        assert ys is not None  # `saveat` asks for them
        return ys


@dataclass(frozen=True, kw_only=True)
class RecursiveCheckpoint(_Diffrax):
    """`RecursiveCheckpointAdjoint`, diffrax's default: online binomial checkpointing (Stumm & Walther 2010)."""

    checkpoints: int | None = None
    """States that are kept at most; None: what diffrax makes of the number of steps."""

    name = "diffrax/recursive-checkpoint"
    summary = "RecursiveCheckpointAdjoint, the default"
    adjoint = "RecursiveCheckpointAdjoint"

    def __post_init__(self) -> None:
        """Refuse a number below one."""
        at_least_one("checkpoints", self.checkpoints)


class Direct(_Diffrax):
    """`DirectAdjoint`: a bounded loop, differentiated directly."""

    name = "diffrax/direct"
    summary = "DirectAdjoint"
    adjoint = "DirectAdjoint"

    def unsupported_model(self, case: Case) -> str | None:
        """What fails in diffrax's own code: it looks for a Runge–Kutta solver's field in the HalfSolver around it."""
        refused = super().unsupported_model(case)
        if refused is None and self.doubled(case) and self.backend.scheme_name(case) in _RUNGE_KUTTA:
            return f"DirectAdjoint fails with HalfSolver({self.backend.scheme_name(case)}), in diffrax 0.7"
        return refused


class Backsolve(_Diffrax):
    """`BacksolveAdjoint`: the continuous adjoint (Li et al. 2020), for Stratonovich SDEs and ODEs."""

    name = "diffrax/backsolve"
    summary = "BacksolveAdjoint, the continuous adjoint"
    adjoint = "BacksolveAdjoint"
    exact = False

    def unsolved(self, case: Case) -> str | None:
        """Stratonovich SDEs and ODEs, with a scheme that can be run backwards; fixed steps are of one length."""
        if not isinstance(case.observations, int) and case.stepping == "fixed":
            return "BacksolveAdjoint uses the forward times in reverse, which diffrax's StepTo doesn't allow"
        if case.noise != "none" and (case.calculus == "ito" or case.scheme == "euler"):
            return "BacksolveAdjoint is for Stratonovich SDEs and ODEs only"
        if case.scheme == "reversible-heun":
            return "BacksolveAdjoint restarts reversible Heun backwards, which loses its pair of states"
        if case.scheme in ("euler-heun", "milstein", "slowrk"):
            return f"BacksolveAdjoint merges drift and noise into one term; diffrax's {case.scheme} needs two"
        return super().unsolved(case)
