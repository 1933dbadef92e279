"""`harness doctor`: does this machine have everything that measuring needs?"""

from __future__ import annotations

import functools

import typer

from harness.case import Case
from harness.compiler import cannot_compile, cxx_compiler
from harness.condition import busy, changing_speed, missing, other_users
from harness.environment import environment, package_version
from harness.gpu import concerns
from harness.initial import draw
from harness.registry import Registry
from harness.runner.child import CaseTarget
from harness.runner.probe import cuda_devices
from harness.runner.worker import CaseFailure, Worker, start_server


def doctor() -> None:
    """Check the installation. Libraries, children, threads, memory, CUDA devices, C++ compiler."""
    registry = Registry.load()
    about = environment(registry)
    print(f"Python {about['python']} on {about['platform']}")
    print(f"{about['processor']}, {about['usable_cores']} usable cores, {about['memory_bytes'] / 2**30:.0f} GiB")
    problems = 0
    for name, version in about["packages"].items():
        if version is not None:
            print(f"{name:12} {version}")
    for name in missing(about, registry):
        print(f"{name:12} MISSING: pip install {name}")
        problems += 1
    for warning in (*busy(about["usable_cores"]), *changing_speed(), *other_users()):
        print(f"timing       {warning}")
    context = start_server()
    for method in ("torch/backprop", "jax/backprop"):
        case = Case(
            problem="neural",
            noise="diagonal",
            calculus="stratonovich",
            scheme="heun",
            method=method,
            dim=4,
            batch=16,
            steps=64,
            observations=1,
            dtype="float32",
            device="cpu",
            threads=1,
            brownian="own",
            seed=0,
        )
        values = draw(registry.problem_of(case), case.batch, case.seed)
        make = functools.partial(CaseTarget, case, (), values, 0)
        worker = Worker(context, make, timeout=120.0, memory=2**40)
        try:
            worker.call(CaseTarget.build, 0)
            sample = worker.call(CaseTarget.time, 20)
            peak = worker.call(CaseTarget.memory).peak
            ratio = sample.cpu_seconds / sample.wall_seconds
            verdict = "one thread" if ratio < 1.1 else "MORE THAN ONE THREAD"
            problems += ratio >= 1.1
            took = f"{sample.wall_seconds / 20 * 1e3:.2f} ms a run"
            print(f"{method:16} {took}, CPU over wall {ratio:.2f} ({verdict}), peak {peak} bytes")
        except CaseFailure as failure:
            problems += 1
            print(f"{method:16} FAILED: {failure}")
        finally:
            worker.close()
    for device in about["gpus"]:
        print(f"GPU          {device['name']}, driver {device['driver']}, {device['power_limit_w']} W")
        for concern in concerns(device):
            print(f"             {concern}")
            problems += 1
    seen = ", ".join(f"{framework}: {name}" for framework, name in cuda_devices().items())
    print(f"CUDA         {seen or 'none (cases with device cuda are unsupported)'}")
    lacking = cannot_compile()
    dask = package_version("distributed")
    print(f"cluster      {f'distributed {dask}' if dask else 'no distributed (--executor dask is refused)'}")
    print(f"C++ compiler {cxx_compiler() if lacking is None else f'{lacking} (torch-compile/* is unsupported)'}")
    print(f"{problems or 'no'} problem{'' if problems == 1 else 's'} found")
    if problems:
        raise typer.Exit(1)
