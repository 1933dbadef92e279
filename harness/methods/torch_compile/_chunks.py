"""A solve whose steps go a chunk at a time through functions that torch.compile has made, PyTorch."""

from __future__ import annotations

import bisect
import functools
import itertools
import tempfile
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import torch
from torch import Tensor
from torch._inductor import config
from torch._inductor.utils import fresh_inductor_cache

from harness.arithmetic import axpy, scale
from harness.brownian.torch_noise import NoiseSource
from harness.case import Case
from harness.clock import Clock
from harness.compiler import cxx_compiler
from harness.lazy import lazily
from harness.method import Gradient
from harness.methods.torch._solve import TorchSolve
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme, Noise, State
from harness.terms import Terms

if TYPE_CHECKING:
    from torch._inductor import compile_fx, decomposition
else:  # their import warns, and takes a second: it is done while compiling
    compile_fx, decomposition = lazily("torch._inductor.compile_fx", "torch._inductor.decomposition")

Forward = Callable[[State[Tensor], Sequence[Tensor], Sequence[Noise[Tensor]], Sequence[Tensor]], State[Tensor]]
"""(state, θ, noise, times of the steps' starts) -> the state after the steps."""
Given = ParamSpec("Given")
Made = TypeVar("Made")

CHUNK = 16  # steps compiled together, at the most


@dataclass(frozen=True)
class Setting:
    """What a compiled function is made for. The sample of the noise is no part of it."""

    problem: AbstractProblem
    scheme: AbstractScheme
    case: Case
    names: tuple[str, ...]
    dt: float
    clock: Clock | None

    def terms(self, theta: Sequence[Tensor], *, stratonovich: bool = False) -> Terms:
        """f and g with θ given in the order of `names`."""
        return Terms(
            torch,
            self.problem,
            dict(zip(self.names, theta, strict=True)),
            stratonovich,
            self.clock,
        )


class ChunkedSolve(TorchSolve):
    """A case in tensors that takes its steps a chunk at a time. `fixed` are its parameters without a graph.

    What is compiled takes the noise and the time of every step as a tensor of its own: the kernels of two steps then
    differ in their arguments alone, so that they are compiled once and not once a step.
    """

    def __init__(
        self,
        problem: AbstractProblem,
        scheme: AbstractScheme,
        case: Case,
        y0: Tensor,
        theta: Mapping[str, Tensor],
        noise: NoiseSource,
    ) -> None:
        super().__init__(problem, scheme, case, y0, theta, noise)
        step, stride = self.grid.equal_step, self.grid.stride
        assert step is not None
        assert stride is not None
        self.stride = stride
        self.setting = Setting(problem, scheme, case, tuple(self.theta), step, self.clock)
        self.fixed = [p.detach() for p in self.parameters]
        self._bounds = [0, *itertools.accumulate(chunk_lengths(self.stride) * self.grid.count)]
        self._times = torch.tensor(self.times_of_grid, dtype=torch.float64, device=self.y0.device).unbind()
        self._forward = _compiled_forward(self.setting)

    def init(self, y0: Tensor) -> State[Tensor]:
        """Tensors of their own: were two of them the same, a function would be compiled for that alone."""
        return tuple(x if x is None else x.clone() for x in super().init(y0))

    def advance(self, state: State[Tensor], start: int, stop: int) -> State[Tensor]:
        """The state after the steps start … stop − 1, which are whole chunks."""
        return self.observe(state, start, stop, [])

    def observe(self, state: State[Tensor], start: int, stop: int, ys: list[Tensor]) -> State[Tensor]:
        """As `advance`, adding to `ys` the states observed on the way, the last one's among them."""
        parameters = self.parameters if torch.is_grad_enabled() else self.fixed
        for steps in self.chunks(start, stop):
            noise = tuple(self.noise[n] for n in steps)
            state = self._forward(state, parameters, noise, self.times(steps))
            if steps.stop % self.stride == 0:
                ys.append(state[0])
        return state

    def cuts(self, length: int) -> list[int]:
        """Grid points that cut the steps into pieces of whole chunks, of `length` steps at least but for the last."""
        found = [0]
        for bound in self._bounds:
            if bound >= found[-1] + length or bound == self.steps:
                found.append(bound)
        return found

    def chunks(self, start: int, stop: int) -> Iterator[range]:
        """The chunks from step `start` to `stop`, where chunks begin and end."""
        bounds = self._bounds[bisect.bisect_left(self._bounds, start) : bisect.bisect_right(self._bounds, stop)]
        return (range(*chunk) for chunk in itertools.pairwise(bounds))

    def backward_chunks(self, start: int) -> list[range]:
        """The chunks of the stride that begins at step `start`, the last one first."""
        return list(self.chunks(start, start + self.stride))[::-1]

    def times(self, points: range) -> tuple[Tensor, ...]:
        """The times of grid points, a scalar each."""
        return self._times[points.start : points.stop]

    def backward_noise(self, steps: range) -> tuple[Noise[Tensor], ...]:
        """The noise of steps, in their order but drawn from the last to the first, as the sweep goes."""
        return tuple(self.noise[n] for n in reversed(steps))[::-1]


def chunk_lengths(stride: int) -> list[int]:
    """Cut a stride into chunks, equal ones where they are longer than half of CHUNK, else of CHUNK and a rest.

    Every length that occurs is compiled by itself.
    """
    longest = min(CHUNK, stride)
    length = next((n for n in range(longest, CHUNK // 2, -1) if stride % n == 0), longest)
    whole, rest = divmod(stride, length)
    return [length] * whole + ([rest] if rest else [])


@functools.lru_cache(maxsize=2)
def _compiled_forward(setting: Setting) -> Forward:
    """The steps of a chunk."""

    def forward(
        state: State[Tensor], theta: Sequence[Tensor], noise: Sequence[Noise[Tensor]], times: Sequence[Tensor]
    ) -> State[Tensor]:
        terms = setting.terms(theta)
        for dW, t in zip(noise, times, strict=True):
            state = setting.scheme.step(terms, t, setting.dt, state, dW)
        return tuple(x if x is None else x.contiguous() for x in state)

    return compile_chunk(forward, setting.case)


def compile_chunk(function: Callable[Given, Made], case: Case) -> Callable[Given, Made]:
    """`function` as inductor makes it at its first call."""
    # What is compiled is kept by code object, and only so many versions: each case has a code object of its own.
    own = types.FunctionType(
        function.__code__.replace(), function.__globals__, function.__name__, None, function.__closure__
    )

    def backend(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> compile_fx.CompileFxOutput:
        return inductor(graph, inputs, case.device)

    return torch.compile(own, fullgraph=True, dynamic=False, backend=backend)


def inductor(graph: torch.fx.GraphModule, inputs: list[Tensor], device: str) -> compile_fx.CompileFxOutput:
    """A graph as inductor makes it, on a CPU with the calls of its kernels in C++ too.

    Its pattern matcher makes an addmm of a product that is added to, and loses the addition's `alpha` on the way
    (docs/methods/torch-compile.md). On a CPU it is slower too.
    """
    patches = {"cpp_wrapper": device == "cpu", "pattern_matcher": False}
    return compile_fx.compile_fx(graph, inputs, config_patches=patches, decompositions=decompositions())


def decompositions() -> dict[torch._ops.OpOverload, Callable[..., object]]:
    """Inductor's, and two of the harness's own: what operations are made of in a graph."""
    return {
        **decomposition.select_decomp_table(),
        # Forward mode's zero tangents have no memory, which the wrapper in C++ can't do with.
        torch.ops.aten._efficientzerotensor.default: torch.zeros,
        torch.ops.aten.addmm.default: _product_and_sum,
    }


def _product_and_sum(y: Tensor, a: Tensor, b: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """An addmm apart: the sum is then fused with what follows, where inductor calls the product and sum as one."""
    return axpy(alpha, a.mm(b), scale(beta, y))


def compiled(solve: TorchSolve, run: Callable[[], Gradient]) -> Callable[[], Gradient]:
    """`run` made ready once it has run and all that it needs is compiled, in this process alone and everything anew.

    Nothing of an earlier process's cache makes it look quick. The compiler is the one that was found, and no process of
    torch's own stays behind where this one is ended. Torch warns of its own ways while it compiles (deprecated parts of
    its own, gradients that it looks at): not passed on.
    """
    settings = {"compile_threads": 1, "cpp.cxx": (None, cxx_compiler())}
    with (
        warnings.catch_warnings(action="ignore"),
        tempfile.TemporaryDirectory() as folder,
        fresh_inductor_cache(dir=folder),
        config.patch(settings),
    ):
        run()
    return solve.ready(run)


def vjp(
    function: Callable[[Tensor, Sequence[Tensor]], Made], y: Tensor, theta: Sequence[Tensor]
) -> tuple[Made, Callable[[Made], tuple[Tensor, Sequence[Tensor]]]]:
    """`function(y, θ)`, and what takes its cotangents to those of y and of θ."""
    value, pull, *_ = torch.func.vjp(function, y, theta)
    return value, pull
