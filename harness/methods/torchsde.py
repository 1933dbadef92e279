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
    from harness.methods import _torchsde_model
    from harness.methods.torch._tensors import CaseTensors
    from harness.models.torch.solve import AbstractSolver
else:
    torchsde, torchsde_path, _torchsde_model = lazily(
        "torchsde", "harness.brownian.torchsde_path", "harness.methods._torchsde_model"
    )

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
    style = Style("^", (4, 2))

    def calculus(self, case: Case) -> str:
        """torchsde's `sde_type`. Additive noise has the same solution in either: the one that has the scheme."""
        if case.noise == "additive":
            return "ito" if case.scheme in self.schemes["ito"] else "stratonovich"
        return super().calculus(case)

    def unsupported(self, case: Case) -> str | None:
        """What torchsde has no scheme for, or a wrong one, and times that it would interpolate."""
        if not isinstance(case.observations, int):
            return "torchsde takes steps of one dt and interpolates between them, so it misses unequally spaced times"
        return self.without_scheme(case) or super().unsupported(case)

    def unsupported_model(self, case: Case) -> str | None:
        """The schemes for the model's `sde_type` alone; times are interpolated, as torchsde does for its users."""
        refused = self.without_scheme(case) or super().unsupported(case)
        if refused is None and case.scheme not in self.schemes[case.calculus]:
            return f"torchsde has {case.scheme} for the other sde_type only; the model's is {case.calculus}"
        return refused

    def without_scheme(self, case: Case) -> str | None:
        """The schemes of torchsde's that are wrong."""
        if case.noise in ("general", "scalar") and case.scheme == "milstein":
            if case.noise == "general":
                return "torchsde's milstein is for additive, scalar and diagonal noise, not general"
            # Its second-order term is a vector–Jacobian product: ForwardSDE.g_prod_and_gdg_prod_default, version 0.2.6.
            return (
                "torchsde's milstein transposes ∂g/∂y, which does no harm to diagonal noise but makes it wrong for"
                " scalar"
            )
        return None


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


class _Torchsde(AbstractTorchLibraryMethod):
    """What its three methods have in common: fixed steps, and for models torchsde's adaptive steps too."""

    takes_models = True
    interpolates = True
    steppings = ("fixed", "adaptive")
    path_at_any_time = True

    def unsupported(self, case: Case) -> str | None:
        """Adaptive steps, which torchsde doesn't tell, so that there is no discrete solve to compare with."""
        if case.stepping == "adaptive":
            return "torchsde's adaptive steps are supported for your own models only"
        return super().unsupported(case)

    def unsupported_model(self, case: Case) -> str | None:
        """As with a problem, but for the times."""
        return Torchsde().unsupported_model(case)


class Backprop(_Torchsde):
    """`torchsde.sdeint`, differentiated by autograd."""

    name = "torchsde/backprop"
    backend = Torchsde()
    summary = "sdeint, backpropagated through"
    step_seconds = 5.4e-4

    def solver(self, of: CaseTensors, path: SharedPath | None) -> Callable[[], Tensor]:
        """By `sdeint`."""
        return _solver(of, path, torchsde.sdeint)

    def model_solver(self, case: Case, path: SharedPath | None, columns: int) -> AbstractSolver:
        """By `sdeint`."""
        return _torchsde_model.TorchsdeSolver(case, path, columns, Torchsde().scheme_name(case))


class Adjoint(_Torchsde):
    """`torchsde.sdeint_adjoint`. Backwards it takes the forward scheme for heun, midpoint and euler-heun.

    Else its default: milstein for diagonal Itô noise, euler for other Itô noise, midpoint for Stratonovich. It can't
    run srk backwards: the adjoint SDE has products g dW to give, not g.
    """

    name = "torchsde/adjoint"
    backend = Torchsde()
    summary = "sdeint_adjoint, the stochastic adjoint"
    exact = False
    step_seconds = 1.4e-3

    def unsupported(self, case: Case) -> str | None:
        """What sdeint_adjoint has no scheme for."""
        return super().unsupported(case) or self._other_method(case)

    def solver(self, of: CaseTensors, path: SharedPath | None) -> Callable[[], Tensor]:
        """By `sdeint_adjoint`."""
        back = {} if (name := self._backwards(of.case)) is None else {"adjoint_method": name}
        return _solver(of, path, torchsde.sdeint_adjoint, adjoint_params=tuple(of.theta.values()), **back)

    def unsupported_model(self, case: Case) -> str | None:
        """As with a problem, but for the times."""
        return super().unsupported_model(case) or self._other_method(case)

    def model_solver(self, case: Case, path: SharedPath | None, columns: int) -> AbstractSolver:
        """By `sdeint_adjoint`."""
        name = Torchsde().scheme_name(case)
        return _torchsde_model.TorchsdeSolver(case, path, columns, name, adjoint=True, backwards=self._backwards(case))

    def _backwards(self, case: Case) -> str | None:
        """torchsde's name of the scheme backwards, None for its own choice."""
        return Torchsde().scheme_name(case) if case.scheme in FORWARD_AND_BACKWARD else None

    def _other_method(self, case: Case) -> str | None:
        return "for sdeint_adjoint with reversible_heun, use torchsde/reversible" if case.scheme == REVERSIBLE else None


class Reversible(_Torchsde):
    """`torchsde.sdeint_adjoint` with reversible Heun both ways (Kidger et al. 2021)."""

    name = "torchsde/reversible"
    backend = Torchsde()
    summary = "sdeint_adjoint with reversible_heun and adjoint_reversible_heun"
    default_schemes = (REVERSIBLE,)
    step_seconds = 1.1e-3

    def unsupported(self, case: Case) -> str | None:
        """Reversible Heun only."""
        if case.calculus == "ito" and case.noise != "additive":
            return "reversible_heun is for Stratonovich SDEs only"
        return super().unsupported(case) or self._other_scheme(case)

    def unsupported_model(self, case: Case) -> str | None:
        """As with a problem, but for the times; and adaptive steps."""
        if case.stepping == "adaptive":
            return "torchsde's reversible Heun doesn't keep its adaptive steps, so that the way back takes other ones"
        return super().unsupported_model(case) or self._other_scheme(case)

    def _other_scheme(self, case: Case) -> str | None:
        return None if case.scheme == REVERSIBLE else f"it is sdeint_adjoint with {REVERSIBLE} alone, not {case.scheme}"

    def model_solver(self, case: Case, path: SharedPath | None, columns: int) -> AbstractSolver:
        """By `sdeint_adjoint`, with `adjoint_reversible_heun` backwards."""
        name, back = Torchsde().scheme_name(case), "adjoint_reversible_heun"
        return _torchsde_model.TorchsdeSolver(case, path, columns, name, adjoint=True, backwards=back)

    def solver(self, of: CaseTensors, path: SharedPath | None) -> Callable[[], Tensor]:
        """By `sdeint_adjoint`."""
        return _solver(
            of,
            path,
            torchsde.sdeint_adjoint,
            adjoint_method="adjoint_reversible_heun",
            adjoint_params=tuple(of.theta.values()),
        )
