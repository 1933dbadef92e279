"""diffrax's gradient methods (version 0.7; docs.kidger.site/diffrax)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from harness.brownian.path import SharedPath
from harness.case import Case
from harness.method import AbstractGradientMethod, Gradient
from harness.methods._library import scheme_refusal
from harness.methods._support import at_least_one
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme

SOLVERS = {
    "heun": "Heun",
    "euler": "Euler",
    "midpoint": "Midpoint",
    "ralston": "Ralston",
    "reversible-heun": "ReversibleHeun",
    "euler-heun": "EulerHeun",
    "milstein": "ItoMilstein or StratonovichMilstein",
    "slowrk": "SlowRK",
    "dopri5": "Dopri5",
}


def _solver(case: Case) -> Any:
    import diffrax

    if case.scheme == "milstein":
        return diffrax.ItoMilstein() if case.calculus == "ito" else diffrax.StratonovichMilstein()
    return getattr(diffrax, SOLVERS[case.scheme])()


def _gradient(adjoint: str, options: tuple[tuple[str, Any], ...], solve: Any, y0: Any, theta: Any, noise: Any) -> Any:
    """`diffeqsolve` as its documentation has it, under value_and_grad.

    The whole batch is one state, with one Brownian path of its shape: faster than mapping over the batch. ItoMilstein
    is mapped all the same, since it takes all pairs of Brownian motions, those of two samples too.
    """
    import diffrax
    import jax
    import jax.numpy as jnp

    from harness.brownian.jax_noise import is_key

    problem, case = solve.problem, solve.case
    step, times = solve.grid.equal_step, solve.time(jnp.arange(solve.steps + 1))

    def states(y0: Any, theta: Any, noise: Any) -> Any:
        return diffrax.diffeqsolve(
            _terms(solve, noise, y0.shape[0]),
            _solver(case),
            t0=problem.t0,
            t1=problem.t1,
            dt0=step,
            y0=y0,
            args=theta,
            adjoint=getattr(diffrax, adjoint)(**dict(options)),
            saveat=diffrax.SaveAt(ts=times[solve.grid.observed]),
            stepsize_controller=diffrax.StepTo(times) if step is None else diffrax.ConstantStepSize(),
            max_steps=case.steps,
            throw=False,
        ).ys

    def states_mapped(y0: Any, theta: Any, noise: Any) -> Any:
        """Each sample is a batch of one."""
        own = is_key(noise)
        samples = jax.random.split(noise, case.batch) if own else noise[:, :, None]
        solve_one = jax.vmap(states, in_axes=(0, None, 0 if own else 1), out_axes=1)
        return solve_one(y0[:, None], theta, samples)[:, :, 0]

    def loss(y0: Any, theta: Any) -> Any:
        mapped = case.scheme == "milstein" and case.calculus == "ito"
        return problem.loss(jnp, (states_mapped if mapped else states)(y0, theta, noise))

    value, (y0_bar, theta_bar) = jax.value_and_grad(loss, (0, 1))(y0, theta)
    return value, theta_bar, y0_bar


def _terms(solve: Any, noise: Any, batch: int) -> Any:
    import diffrax
    import jax
    import jax.numpy as jnp
    import lineax

    from harness.brownian.diffrax_path import InjectedBrownian
    from harness.brownian.jax_noise import is_key
    from harness.methods._diffrax_term import BatchedControlTerm

    problem, case = solve.problem, solve.case
    drift = diffrax.ODETerm(lambda t, y, theta: problem.drift(jnp, t, y, theta))
    if problem.noise == "none":
        return drift
    shape = jax.ShapeDtypeStruct((batch, problem.noise_dim), case.dtype)
    levy_area = diffrax.SpaceTimeLevyArea if solve.scheme.needs_levy_area else diffrax.BrownianIncrement
    span = {"t0": problem.t0, "t1": problem.t1, "levy_area": levy_area}
    if is_key(noise):
        brownian = diffrax.VirtualBrownianTree(tol=float(solve.grid.lengths.min()) / 2, shape=shape, key=noise, **span)
    else:
        W, H = noise if isinstance(noise, tuple) else (noise, noise)  # without the need, H is never asked for
        brownian = InjectedBrownian(W=W, H=H, times=solve.time(jnp.arange(solve.steps + 1)), **span)

    if problem.noise == "diagonal":
        noise_term = diffrax.ControlTerm(
            lambda t, y, theta: lineax.DiagonalLinearOperator(problem.diffusion(jnp, t, y, theta)), brownian
        )
    else:
        noise_term = BatchedControlTerm(lambda t, y, theta: problem.diffusion(jnp, t, y, theta), brownian)
    return diffrax.MultiTerm(drift, noise_term)


@functools.cache
def _with_adjoint(adjoint: str, options: tuple[tuple[str, Any], ...]) -> Callable[..., Any]:
    """The same function for the same adjoint, by which compile_gradient knows it again."""
    return functools.partial(_gradient, adjoint, options)


@dataclass(frozen=True)
class _Diffrax(AbstractGradientMethod):
    """`diffeqsolve` with one of diffrax's adjoints."""

    framework = "jax"
    adjoint: ClassVar[str]
    """The name of its class."""
    step_seconds = 1.2e-3

    def unsupported(self, case: Case) -> str | None:
        """What diffrax has no solver for."""
        if case.scheme == "srk":
            return "diffrax's SRA1 takes g at the start of a step where Rößler's, and this scheme, takes it at its end"
        if case.scheme == "euler-heun" and case.noise == "additive":
            return "diffrax's EulerHeun takes g at the start of a step twice, which for additive noise makes it Euler's"
        return scheme_refusal("diffrax", SOLVERS, case)

    def build(
        self, problem: AbstractProblem, scheme: AbstractScheme, case: Case, path: SharedPath | None
    ) -> Callable[[], Gradient]:
        """Compile ahead of time."""
        from harness.methods.jax._compile import compile_gradient
        from harness.methods.jax._solve import JaxSolve

        return compile_gradient(
            _with_adjoint(self.adjoint, tuple(asdict(self).items())), JaxSolve(problem, scheme, case), path
        )


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


class Backsolve(_Diffrax):
    """`BacksolveAdjoint`: the continuous adjoint (Li et al. 2020), for Stratonovich SDEs and ODEs."""

    name = "diffrax/backsolve"
    summary = "BacksolveAdjoint, the continuous adjoint"
    adjoint = "BacksolveAdjoint"
    exact = False

    def unsupported(self, case: Case) -> str | None:
        """Stratonovich SDEs and ODEs, with a scheme that can be run backwards, in steps of one length."""
        if not isinstance(case.observations, int):
            return "BacksolveAdjoint takes the forward times backwards, which diffrax's StepTo doesn't allow"
        if case.noise != "none" and (case.calculus == "ito" or case.scheme == "euler"):
            return "BacksolveAdjoint is for Stratonovich SDEs and ODEs"
        if case.scheme == "reversible-heun":
            return "BacksolveAdjoint restarts reversible Heun backwards, which loses its pair of states"
        if case.scheme in ("euler-heun", "milstein", "slowrk"):
            return f"BacksolveAdjoint makes one term of drift and noise, which diffrax's {case.scheme} needs apart"
        return super().unsupported(case)
