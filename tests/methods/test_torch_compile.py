"""The compiled PyTorch methods meet the eager ones; without a compiler they say so.

A C++ compiler must be installed. A compilation takes many seconds: chunks are short here, and cases few. The methods
differ in the graphs that they trace. So PyTorch's own compiler, inductor, compiles some cases only. The others run
their graphs, forward and backward, as traced.
"""

from __future__ import annotations

import pytest
from gradients import distance, gradient, problem_of

from harness import compiler
from harness.problem import AbstractProblem
from harness.problems.neural import Neural

METHODS = tuple(
    f"torch-compile/{name}" for name in ("backprop", "checkpoint", "recursive-checkpoint", "adjoint", "reversible")
)


def rounding() -> float:
    """Of float64 over the solve: the operations are the eager method's, in an order of the compiler's own."""
    return 1e-11


@pytest.fixture
def short_chunks(monkeypatch):
    """Chunks of two steps."""
    from harness.methods.torch_compile import _chunks

    monkeypatch.setattr(_chunks, "CHUNK", 2)


@pytest.fixture
def inductor():
    """Inductor, which here believes a compiler to know all vector instructions of the processor: to try takes 10 s."""
    from torch._inductor import config

    with config.patch({"cpp.vec_isa_ok": True, "cpp_cache_precompile_headers": False}):
        yield


@pytest.fixture
def as_traced(monkeypatch):
    """The graphs as dynamo and autograd trace them, with the method's own decompositions, run without inductor."""
    from harness.methods.torch_compile import _chunks

    made = []

    def traced(graph, inputs, device):
        from functorch.compile import make_boxed_func
        from torch._dynamo.backends.common import aot_autograd

        made.append(graph)
        return aot_autograd(
            fw_compiler=lambda graph, _: make_boxed_func(graph.forward), decompositions=_chunks.decompositions()
        )(graph, inputs)

    monkeypatch.setattr(_chunks, "inductor", traced)
    yield
    assert made


def meets_the_eager_one(registry, make_case, approach, **axes):
    import torch

    case, eager = (make_case(method=f"{backend}/{approach}", **axes) for backend in ("torch-compile", "torch"))
    assert distance(gradient(registry, case), gradient(registry, eager)) <= rounding()
    # Another path meets what was compiled for the first.
    with torch.compiler.set_stance("fail_on_recompile"):
        again = gradient(registry, case, seed=8)
    assert distance(again, gradient(registry, eager, seed=8)) <= rounding()


@pytest.mark.usefixtures("short_chunks", "inductor")
@pytest.mark.parametrize(
    ("approach", "axes"),
    [
        # Inductor's pattern matcher compiles f dt + dW gᵀ wrongly, and is switched off.
        pytest.param("backprop", {"scheme": "heun", "noise": "additive", "steps": 4}, id="backprop heun additive"),
        pytest.param(
            "reversible",
            {"scheme": "reversible-heun", "steps": 8, "observations": 2, "brownian": "own"},
            id="reversible diagonal, two observations, own noise",
        ),
    ],
)
def test_compiled_methods_meet_the_eager_ones(registry, make_case, approach, axes):
    meets_the_eager_one(registry, make_case, approach, **axes)


@pytest.mark.usefixtures("short_chunks", "as_traced")
@pytest.mark.parametrize(
    ("approach", "axes"),
    [
        # Five steps a stride are two chunks and a rest, which is compiled too.
        pytest.param("backprop", {"scheme": "heun", "noise": "additive", "steps": 5}, id="backprop with a rest"),
        # ⌈√10⌉ steps are two chunks; states are observed within a segment and at its end.
        pytest.param("checkpoint", {"scheme": "heun", "steps": 10, "observations": 5}, id="checkpoint heun diagonal"),
        pytest.param(
            "recursive-checkpoint",
            {"scheme": "euler", "noise": "none", "steps": 40, "observations": 2},
            id="recursive-checkpoint euler ode",
        ),
        pytest.param("adjoint", {"scheme": "heun", "steps": 8, "observations": 2}, id="adjoint heun diagonal"),
    ],
)
def test_traced_methods_meet_the_eager_ones(registry, make_case, approach, axes):
    meets_the_eager_one(registry, make_case, approach, **axes)


@pytest.mark.usefixtures("short_chunks", "as_traced")
def test_a_drift_correction_by_differences_is_traced(registry, make_case, monkeypatch):
    """For problems that don't write their correction out."""
    monkeypatch.setattr(Neural, "correction", AbstractProblem.correction)
    meets_the_eager_one(registry, make_case, "adjoint", noise="scalar", calculus="ito", scheme="euler", steps=4)


@pytest.mark.usefixtures("inductor")
def test_a_scheme_that_takes_derivatives_is_compiled(registry, make_case, monkeypatch):
    """Milstein's: forward mode within the steps, whose zero tangents inductor can't do with as they are."""
    from harness.methods.torch_compile import _chunks

    monkeypatch.setattr(_chunks, "CHUNK", 1)
    monkeypatch.setattr(Neural, "correction", AbstractProblem.correction)
    axes = {"noise": "scalar", "calculus": "ito", "scheme": "milstein", "steps": 2}
    found = gradient(registry, make_case(method="torch-compile/backprop", **axes))
    assert distance(found, gradient(registry, make_case(method="torch/backprop", **axes))) <= rounding()


@pytest.mark.parametrize(
    ("stride", "lengths"),
    [(3, [3]), (16, [16]), (32, [16, 16]), (24, [12, 12]), (100, [10] * 10), (35, [16, 16, 3])],
)
def test_chunks_are_equal_where_they_can_be(stride, lengths):
    from harness.methods.torch_compile._chunks import chunk_lengths

    assert chunk_lengths(stride) == lengths


def test_pieces_are_whole_chunks(registry, make_case):
    from harness.methods.torch_compile._chunks import ChunkedSolve

    case = make_case(method="torch-compile/checkpoint", noise="none", steps=70, observations=2)
    solve = ChunkedSolve.of(problem_of(registry, case), registry.schemes[case.scheme], case, None)
    assert [steps.stop for steps in solve.chunks(0, 70)] == [16, 32, 35, 51, 67, 70]
    assert list(solve.chunks(32, 51)) == [range(32, 35), range(35, 51)]
    assert solve.cuts(20) == [0, 32, 67, 70]
    assert solve.cuts(8) == [0, 16, 32, 51, 67, 70]


@pytest.mark.parametrize("method", METHODS)
def test_without_a_compiler_it_is_unsupported(registry, make_case, monkeypatch, method):
    case = make_case(method=method, scheme="reversible-heun")
    monkeypatch.setattr(compiler.shutil, "which", {}.get)
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert "none of CXX, c++, g++, clang++ is found" in registry.methods[method].unsupported(case)


@pytest.mark.parametrize("method", METHODS)
def test_without_python_headers_it_is_unsupported(registry, make_case, monkeypatch, tmp_path, method):
    case = make_case(method=method, scheme="reversible-heun")
    monkeypatch.setattr(compiler, "cxx_compiler", lambda: "/usr/bin/c++")
    monkeypatch.setattr(compiler.sysconfig, "get_path", {"include": str(tmp_path)}.get)
    assert "no Python.h" in registry.methods[method].unsupported(case)


def test_what_else_is_unsupported(registry, make_case, monkeypatch):
    monkeypatch.setattr(compiler, "cannot_compile", lambda: None)
    reversible = registry.methods["torch-compile/reversible"]
    assert "reversible-heun's own" in reversible.unsuited(registry.schemes["ees25"])


def test_the_environment_names_the_compiler(monkeypatch):
    monkeypatch.setattr(compiler.shutil, "which", "/bin/{}".format)
    monkeypatch.delenv("CXX", raising=False)
    assert compiler.cxx_compiler() == "/bin/c++"
    monkeypatch.setenv("CXX", "clang++-19")
    assert compiler.cxx_compiler() == "/bin/clang++-19"
