"""A whole gradient as one CUDA graph, PyTorch: the kernels are launched together, not one by one from Python."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch

from harness.method import Gradient


@dataclass(frozen=True)
class CapturedGradient:
    """A captured gradient. Every call computes it anew into the same tensors."""

    graph: torch.cuda.CUDAGraph
    result: Gradient
    bytes: int
    run: Callable[[], Gradient]
    """What was captured: it holds the tensors that the graph reads, whose memory another would be given otherwise."""

    def __call__(self) -> Gradient:
        """Launch it; the result may not have been computed yet."""
        self.graph.replay()
        return self.result

    def planned_bytes(self) -> int:
        """The most bytes of the device that the gradient has at once: its graph holds them from call to call."""
        return self.bytes


@dataclass(frozen=True)
class EagerGradient:
    """A gradient that a CUDA graph can't hold, and why."""

    run: Callable[[], Gradient]
    note: str

    def __call__(self) -> Gradient:
        """Launch its kernels one by one."""
        return self.run()


def captured(run: Callable[[], Gradient]) -> CapturedGradient | EagerGradient:
    """`run` as a CUDA graph, or as it is where it reads a number of the device on its way.

    It runs once before, on the stream that is captured: kernels are compiled then, and libraries take what they keep.
    """
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        run()
    torch.cuda.current_stream().wait_stream(stream)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    try:
        with warnings.catch_warnings(action="ignore"), torch.cuda.graph(graph, stream=stream):
            result = run()
    except RuntimeError as error:
        torch.cuda.synchronize()
        _forget_capture()
        (reason, *_) = str(error).splitlines() or [type(error).__name__]
        return EagerGradient(run, f"not a CUDA graph, its kernels are launched one by one: {reason}")
    return CapturedGradient(graph, result, torch.cuda.max_memory_allocated() - before, run)


def _forget_capture() -> None:
    """A capture that failed leaves the default generator waiting for its end: it gets a state of its own again."""
    generator = torch.cuda.default_generators[torch.cuda.current_device()]
    fresh = torch.Generator("cuda")
    fresh.manual_seed(generator.initial_seed())
    generator.graphsafe_set_state(fresh.graphsafe_get_state())
