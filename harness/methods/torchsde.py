"""torchsde's gradient methods (version 0.2; github.com/google-research/torchsde)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.backend import AbstractBackend
from harness.backend_facts import Style
from harness.brownian.path import SharedPath
from harness.case import Case
from harness.lazy import lazily
from harness.library import AbstractTorchLibraryMethod

if TYPE_CHECKING:
    import torchsde
    from torch import Tensor

    from harness.brownian import torchsde_path
    from harness.methods.torch._tensors import CaseTensors
else:
    torchsde, torchsde_path = lazily("torchsde", "harness.brownian.torchsde_path")

REVERSIBLE = "reversible-heun"
FORWARD_AND_BACKWARD = ("heun", "midpoint", "euler-heun")


class Torchsde(AbstractBackend):
    """SDEs in PyTorch."""

    name = "torchsde"
    framework = "torch"
    summary = "sdeint and sdeint_adjoint, for SDEs"
    homepage = "https://github.com/google-research/torchsde"
    packages = ("torchsde",)
    module = "torchsde"
    comparable = {
        approach: (f"torch/{approach}", f"torch-compile/{approach}")
        for approach in ("backprop", "adjoint", "reversible")
    }
    schemes = {
        "ito": {"euler": "euler", "milstein": "milstein", "srk": "srk"},
        "stratonovich": {
            "heun": "heun",
            "midpoint": "midpoint",
            "euler-heun": "euler_heun",
            "milstein": "milstein",
            REVERSIBLE: "reversible_heun",
        },
    }
    style = Style(0.62, "^", (4, 2))

    def calculus(self, case: Case) -> str:
        """torchsde's `sde_type`. Additive noise has the same solution in either: the one that has the scheme."""
        if case.noise == "additive":
            return "ito" if case.scheme in self.schemes["ito"] else "stratonovich"
        return super().calculus(case)

    def unsupported(self, case: Case) -> str | None:
        """What torchsde has no scheme for, or a wrong one, and times that it would interpolate."""
        if not isinstance(case.observations, int):
            return "torchsde steps by one dt and interpolates between steps, so that it misses unequally spaced times"
        if case.noise in ("general", "scalar") and case.scheme == "milstein":
            if case.noise == "general":
                return "torchsde's milstein is for additive, scalar and diagonal noise, not general"
            # Its second-order term is a vector–Jacobian product: ForwardSDE.g_prod_and_gdg_prod_default, version 0.2.6.
            return (
                "torchsde's milstein transposes ∂g/∂y, which does no harm to diagonal noise but makes it wrong for"
                " scalar"
            )
        return super().unsupported(case)


class _SDE:
    """A problem as torchsde wants it."""

    def __init__(self, of: CaseTensors, sde_type: str) -> None:
        self.noise_type = of.problem.noise
        self.sde_type = sde_type
        self.f = of.drift
        self.g = of.diffusion
        if of.problem.shares:
            self.f_and_g = of.drift_and_diffusion


def _solver(
    of: CaseTensors, path: SharedPath | None, sdeint: Callable[..., Any], **options: object
) -> Callable[[], Tensor]:
    """A solve by sdeint or sdeint_adjoint, whose annotations leave open whether they return one tensor or several."""
    problem, case, ts = of.problem, of.case, of.observed_exactly()
    sde = _SDE(of, Torchsde().calculus(case))
    options |= {"method": Torchsde().scheme_name(case), "dt": of.step_of_a_sum()}
    drawn = {
        "size": (case.batch, problem.noise_dim),
        "dtype": of.y0.dtype,
        "device": of.y0.device,
        "levy_area_approximation": "space-time" if case.scheme == "srk" else "none",
    }
    injected = None if path is None else torchsde_path.InjectedBrownian(case, path)

    def solve() -> Tensor:
        # A new sample a call, as sdeint makes one where it is given none, but with a seed.
        bm = injected
        if bm is None:
            bm = torchsde.BrownianInterval(t0=ts[0], t1=ts[-1], entropy=case.seed, **drawn)
        return sdeint(sde, of.y0, ts, bm=bm, **options)[1:]

    return solve


class Backprop(AbstractTorchLibraryMethod):
    """`torchsde.sdeint`, differentiated by autograd."""

    name = "torchsde/backprop"
    backend = Torchsde()
    summary = "sdeint, backpropagated through"
    step_seconds = 1.2e-3

    def solver(self, of: CaseTensors, path: SharedPath | None) -> Callable[[], Tensor]:
        """By `sdeint`."""
        return _solver(of, path, torchsde.sdeint)


class Adjoint(AbstractTorchLibraryMethod):
    """`torchsde.sdeint_adjoint`. Backwards it takes the forward scheme for heun, midpoint and euler-heun.

    Else its default: milstein for diagonal Itô noise, euler for other Itô noise, midpoint for Stratonovich. It can't
    run srk backwards: the adjoint SDE has products g dW to give, not g.
    """

    name = "torchsde/adjoint"
    backend = Torchsde()
    summary = "sdeint_adjoint, the stochastic adjoint"
    exact = False
    step_seconds = 3e-3

    def unsupported(self, case: Case) -> str | None:
        """What sdeint_adjoint has no scheme for."""
        reversible = "sdeint_adjoint with reversible_heun is torchsde/reversible"
        return super().unsupported(case) or (reversible if case.scheme == REVERSIBLE else None)

    def solver(self, of: CaseTensors, path: SharedPath | None) -> Callable[[], Tensor]:
        """By `sdeint_adjoint`."""
        options: dict[str, object] = {"adjoint_params": tuple(of.theta.values())}
        if of.case.scheme in FORWARD_AND_BACKWARD:
            options["adjoint_method"] = Torchsde().scheme_name(of.case)
        return _solver(of, path, torchsde.sdeint_adjoint, **options)


class Reversible(AbstractTorchLibraryMethod):
    """`torchsde.sdeint_adjoint` with reversible Heun both ways (Kidger et al. 2021)."""

    name = "torchsde/reversible"
    backend = Torchsde()
    summary = "sdeint_adjoint with reversible_heun and adjoint_reversible_heun"
    default_schemes = (REVERSIBLE,)
    step_seconds = 2.5e-3

    def unsupported(self, case: Case) -> str | None:
        """Reversible Heun only."""
        if case.calculus == "ito" and case.noise != "additive":
            return "reversible_heun is for Stratonovich SDEs"
        other = f"it is sdeint_adjoint with {REVERSIBLE} alone, not with {case.scheme}"
        return super().unsupported(case) or (other if case.scheme != REVERSIBLE else None)

    def solver(self, of: CaseTensors, path: SharedPath | None) -> Callable[[], Tensor]:
        """By `sdeint_adjoint`."""
        return _solver(
            of,
            path,
            torchsde.sdeint_adjoint,
            adjoint_method="adjoint_reversible_heun",
            adjoint_params=tuple(of.theta.values()),
        )
