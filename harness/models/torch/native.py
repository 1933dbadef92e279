"""A model's solves by a native PyTorch method."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from torch import Tensor

from harness.case import Case
from harness.errors import ProblemError
from harness.methods.torch._method import AbstractTorchMethod
from harness.models.torch.call import OdeCall, SdeCall
from harness.models.torch.solve import AbstractSolver
from harness.models.torch.structure import NOTHING_FOUND, Structure
from harness.scheme import AbstractScheme
from harness.stepping import Asked
from harness.torch._drive import AbstractDrive
from harness.torch._logqp import divergences
from harness.torch._reads import Reads
from harness.torch._right_hand_side import RightHandSide
from harness.torch._solve import solved
from harness.torch._state import State


@dataclass(frozen=True)
class NativeSolver(AbstractSolver):
    """`structure` says what was found of the noise, whatever the model declares.

    `stratonovich` poses an Itô equation in its Stratonovich form, by the exact correction. f and g are evaluated
    `shift` later than they should be.
    """

    method: AbstractTorchMethod
    scheme: AbstractScheme
    steps: int
    drive: AbstractDrive
    stepping: str = "fixed"
    rtol: float = 0.0
    atol: float = 0.0
    structure: Structure = NOTHING_FOUND
    stratonovich: bool = False
    reads: Reads = field(default_factory=Reads, compare=False)
    shift: float = 0.0

    @classmethod
    def of_case(
        cls,
        method: AbstractTorchMethod,
        scheme: AbstractScheme,
        case: Case,
        drive: AbstractDrive,
        structure: Structure,
        *,
        shift: float = 0.0,
    ) -> NativeSolver:
        """With the steps of a case."""
        return cls(method, scheme, case.steps, drive, case.stepping, case.rtol, case.atol, structure, shift=shift)

    def sde(self, call: SdeCall) -> Tensor | tuple[Tensor, Tensor]:
        """As `harness.torch.sdeint`."""
        found = self.structure
        side = replace(call.side(), reads_no_state=found.reads_no_state, commutes=found.commutes)
        ys = self._solved(side, call.start(), call)
        return divergences(ys) if call.logqp else ys

    def ode(self, call: OdeCall) -> State:
        """As `harness.torch.odeint`."""
        return call.form().unpack(self._solved(call.side(), call.start(), call))

    def _solved(self, side: RightHandSide, start: Tensor, call: SdeCall | OdeCall) -> Tensor:
        tolerances = (self.rtol, self.atol) if self.stepping == "adaptive" else (0.0, 0.0)
        try:
            side = side.later(self.shift) if self.shift else side
            asked = Asked.of(call.times(), self.steps, None, *tolerances)
            return solved(
                side,
                start,
                method=self.method,
                scheme=self.scheme,
                asked=asked,
                drive=self.drive,
                params=call.params,
                reads=self.reads,
                stratonovich=self.stratonovich,
            )
        except ValueError as error:
            raise ProblemError(str(error)) from error
