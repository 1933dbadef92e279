"""torchdiffeq's gradient methods for ODEs (version 0.2; github.com/rtqichen/torchdiffeq)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.backend import AbstractBackend
from harness.backend_facts import Style
from harness.brownian.path import SharedPath
from harness.case import Case
from harness.lazy import lazily
from harness.library import AbstractTorchLibraryMethod

if TYPE_CHECKING:
    import torch
    import torchdiffeq
    from torch import Tensor

    from harness.methods import _torchdiffeq_model
    from harness.methods.torch._tensors import CaseTensors
    from harness.models.torch.solve import AbstractSolver
else:
    torch, torchdiffeq, _torchdiffeq_model = lazily("torch", "torchdiffeq", "harness.methods._torchdiffeq_model")


ADAPTIVE = "dopri5"


class Torchdiffeq(AbstractBackend):
    """ODEs in PyTorch."""

    name = "torchdiffeq"
    framework = "torch"
    summary = "odeint and odeint_adjoint, for ODEs"
    homepage = "https://github.com/rtqichen/torchdiffeq"
    packages = ("torchdiffeq",)
    module = "torchdiffeq"
    comparable = {
        "backprop": ("torch/backprop", "torch-compile/backprop"),
        "adjoint": ("torch/adjoint", "torch-compile/adjoint"),
    }
    # torchdiffeq's `rk4` is Kutta's 3/8-rule, not the classical scheme.
    schemes = {"none": {"heun": "heun2", "euler": "euler", "midpoint": "midpoint", "rk4-38": "rk4"}}
    style = Style("v", (4, 2))


class _Torchdiffeq(AbstractTorchLibraryMethod):
    """What its two methods have in common: fixed steps, and for models its adaptive steps too."""

    takes_models = True
    steppings = ("fixed", "adaptive")

    def unsupported(self, case: Case) -> str | None:
        """Adaptive steps, whose states torchdiffeq interpolates, so that there is no discrete solve to compare with."""
        if case.stepping == "adaptive":
            return "torchdiffeq's adaptive steps are supported for your own models only"
        return super().unsupported(case)

    def unsupported_model(self, case: Case) -> str | None:
        """Adaptive steps are dopri5's, torchdiffeq's default."""
        if case.stepping == "adaptive":
            if case.noise != "none" or case.scheme == ADAPTIVE:
                return Torchdiffeq().unsupported(replace(case, scheme="euler"))
            return f"torchdiffeq's adaptive steps are supported with {ADAPTIVE} only"
        return super().unsupported(case)

    def solver_of_model(self, case: Case, *, adjoint: bool) -> AbstractSolver:
        """By `odeint` or `odeint_adjoint`."""
        adaptive = case.stepping == "adaptive"
        name = ADAPTIVE if adaptive else Torchdiffeq().scheme_name(case)
        return _torchdiffeq_model.TorchdiffeqSolver(case, name, adjoint=adjoint)


def _solver(of: CaseTensors, odeint: Callable[..., Any], **options: object) -> Callable[[], Tensor]:
    """A solve by odeint or odeint_adjoint, which have no annotations."""
    times, ts = of.grid(), of.observed()

    def grid(func: object, y0: Tensor, t: Tensor) -> Tensor:
        """The case's grid between the ends of t, in their order: torchdiffeq's own may have one step more."""
        del func, y0
        start, stop = torch.searchsorted(times, t[[0, -1]]).tolist()
        return times[start : stop + 1] if start < stop else times[stop : start + 1].flip(0)

    options |= {"method": Torchdiffeq().scheme_name(of.case), "options": {"grid_constructor": grid}}
    return lambda: odeint(of.drift, of.y0, ts, **options)[1:]


class Backprop(_Torchdiffeq):
    """`torchdiffeq.odeint`, differentiated by autograd."""

    name = "torchdiffeq/backprop"
    backend = Torchdiffeq()
    summary = "odeint, backpropagated through"
    step_seconds = 1.8e-4

    def solver(self, of: CaseTensors, path: SharedPath | None) -> Callable[[], Tensor]:
        """By `odeint`."""
        return _solver(of, torchdiffeq.odeint)

    def model_solver(self, case: Case, path: SharedPath | None, columns: int) -> AbstractSolver:
        """By `odeint`."""
        del path, columns
        return self.solver_of_model(case, adjoint=False)


class Adjoint(_Torchdiffeq):
    """`torchdiffeq.odeint_adjoint` (Chen et al. 2018), with the forward scheme backwards."""

    name = "torchdiffeq/adjoint"
    backend = Torchdiffeq()
    summary = "odeint_adjoint, the continuous adjoint"
    exact = False
    step_seconds = 4.5e-4

    def solver(self, of: CaseTensors, path: SharedPath | None) -> Callable[[], Tensor]:
        """By `odeint_adjoint`."""
        return _solver(of, torchdiffeq.odeint_adjoint, adjoint_params=tuple(of.theta.values()))

    def model_solver(self, case: Case, path: SharedPath | None, columns: int) -> AbstractSolver:
        """By `odeint_adjoint`."""
        del path, columns
        return self.solver_of_model(case, adjoint=True)
