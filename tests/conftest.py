"""What all tests share: JAX in float64, cases and registries made in one line."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

os.environ.setdefault("JAX_PLATFORMS", "cpu")

from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import pytest
from cases import small_case

from harness.case import Case
from harness.methods.jax import _compile
from harness.registry import Registry

jax.config.update("jax_enable_x64", True)

EMITTERS = "xla_cpu_use_fusion_emitters"
QUICK = {EMITTERS: False, "xla_cpu_parallel_codegen_split_count": 1}
"""Switches of XLA. To split a program for several threads takes time, and each of pytest's workers has one core."""
BENCHMARKS = Path(__file__).parent / "benchmarks"
GPU = Path(__file__).parent / "gpu"


def pytest_configure(config: pytest.Config) -> None:
    """Most of the tests' time is compilation: ask XLA for a quick one, here and in all processes started from here.

    It then does without LLVM's optimisation and the slower of its two ways to emit a fusion: the numbers are what
    counts. `usual_compilation` and `children.UsuallyCompiled` undo this. The benchmarks compile as a run does. JAX
    writes the line of each operation into its programs, but not the lines that called it, which takes a tenth of the
    time.

    Importing and tracing make many objects that live on. Python's garbage collector would look through them again and
    again: a quarter of the time that collecting the tests takes. It looks less often here.
    """
    if config.getoption("benchmark_only", False):
        return
    gc.set_threshold(50_000, 20, 20)
    jax.config.update("jax_disable_most_optimizations", True)
    os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"
    jax.config.update("jax_include_full_tracebacks_in_locations", False)
    os.environ["JAX_INCLUDE_FULL_TRACEBACKS_IN_LOCATIONS"] = "0"
    if "XLA_FLAGS" not in os.environ:  # workers of xdist inherit it
        os.environ["XLA_FLAGS"] = " ".join(f"--{name}={str(value).lower()}" for name, value in quick_options().items())


def pytest_collection_finish(session: pytest.Session) -> None:
    """All that has been imported stays until the end: the garbage collector need not look at it."""
    if not session.config.getoption("benchmark_only", False):
        gc.collect()
        gc.freeze()


def quick_options() -> dict[str, bool | int]:
    """Those of `QUICK` that this XLA has. Asked in another process: the first compilation reads XLA_FLAGS."""
    code = (
        "import jax\n"
        f"for name, value in {QUICK!r}.items():\n"
        "    try:\n"
        "        jax.jit(lambda: 0).lower().compile({name: value})\n"
        "        print(name)\n"
        "    except jax.errors.JaxRuntimeError:\n"
        "        pass\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split()
    return {name: value for name, value in QUICK.items() if name in found}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The benchmarks are collected with `--benchmark-only`, and they alone: other tests import the extra `test`.

    Tests for a GPU import what only PyTorch for CUDA brings: they are collected where they are asked for.
    """
    if GPU in (collection_path, *collection_path.parents) and "not gpu" in str(config.getoption("markexpr", "")):
        return True
    within = BENCHMARKS in (collection_path, *collection_path.parents)
    if not config.getoption("benchmark_only", False):
        return True if within else None
    return None if within or collection_path in BENCHMARKS.parents else True


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Everything built in."""
    return Registry.load()


@pytest.fixture(autouse=True, scope="module")
def no_old_executables() -> Iterator[None]:
    """What a module had compiled is of no use to the next, and takes gigabytes."""
    yield
    jax.clear_caches()
    _compile._executable.cache_clear()


@pytest.fixture(scope="module")
def usual_compilation() -> Iterator[None]:
    """For modules that look into what XLA makes of a program: by default, not as `pytest_configure` asks of it.

    LLVM comes after that, and needn't optimise the code here either.
    """
    given = _compile.compiler_options
    slow = {EMITTERS: True} if EMITTERS in os.environ.get("XLA_FLAGS", "") else {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_compile, "compiler_options", lambda *of: {**slow, **given(*of)})
        yield


@pytest.fixture(scope="session")
def make_case() -> Callable[..., Case]:
    """A small case; keywords change its axes."""
    return small_case
