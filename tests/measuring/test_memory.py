"""Peak memory: exact where the truth is known, for both frameworks."""

from __future__ import annotations

import numpy as np
import pytest
from children import Child, UsuallyCompiled, child
from gradients import problem_of, values_of

from harness.measuring.memory import peak_bytes_cpu
from harness.measuring.statistics import growth_exponent, log_slope


@pytest.mark.parametrize("mebibytes", [1, 52])
def test_numpy_allocations_are_counted_to_within_a_page(mebibytes):
    size = mebibytes * 2**20
    peak = peak_bytes_cpu(lambda: np.ones(size, dtype=np.uint8))
    assert 0 <= peak - size < 64 * 1024


def test_torch_is_counted_even_where_pages_are_reused():
    import torch

    def run():
        return torch.ones(2**20).mul_(2).sum()

    run()
    assert 0 <= peak_bytes_cpu(run) - 4 * 2**20 < 64 * 1024


def test_what_is_freed_first_is_not_added():
    def run():
        for _ in range(4):
            np.ones(2**20, dtype=np.uint8)

    assert peak_bytes_cpu(run) < 1.5 * 2**20


@pytest.mark.parametrize("method", ["torch/reversible", "jax/reversible", "torch/adjoint", "jax/adjoint"])
def test_memory_of_solves_that_keep_nothing_is_flat(make_case, method):
    steps = (64, 256)
    assert abs(log_slope(steps, peaks := measure(make_case, method, steps))) <= 0.02, peaks


@pytest.mark.parametrize(
    ("method", "steps", "power", "least"),
    [
        ("torch/backprop", (64, 128, 256, 512), 1.0, 0.97),
        ("jax/backprop", (64, 128, 256, 512), 1.0, 0.97),
        ("torch/checkpoint", (16, 100, 324, 576), 0.5, 0.4),
        ("jax/checkpoint", (16, 100, 324, 576), 0.5, 0.4),
    ],
)
def test_memory_grows_at_its_power(make_case, method, steps, power, least):
    """Beside a constant part (temporaries of a step, noise, gradients of parameters), at its power to a percent.

    With that part, which weighs on the shortest solve alone, at a slope between the least and the power. States are
    wide, layers narrow.
    """
    peaks = measure(make_case, method, steps, kind_for(method), **wide(method), problem="neural(width=8)", dim=128)
    assert growth_exponent(steps, peaks) == pytest.approx(power, abs=0.01), peaks
    assert least <= log_slope(steps, peaks) <= power + 0.01, peaks


@pytest.mark.parametrize(
    ("method", "steps", "low", "high"),
    [
        ("torch/backprop", (128, 512), 0.97, 1.03),
        ("jax/backprop", (512, 2048), 0.97, 1.03),
        ("torch/checkpoint", (256, 2048), 0.45, 0.55),
    ],
)
def test_memory_slopes_of_long_solves(make_case, method, steps, low, high):
    """At the usual sizes, with the constant part, from where the states outweigh it."""
    peaks = measure(make_case, method, steps, kind_for(method), **wide(method))
    assert low <= log_slope(steps, peaks) <= high, peaks


def wide(method: str) -> dict[str, object]:
    """What makes the few arrays that jax/backprop keeps of a step as heavy as PyTorch's graph of one."""
    return {"scheme": "heun", "batch": 320} if method == "jax/backprop" else {}


def kind_for(method: str) -> type[Child]:
    """With so many paths, code that is optimised saves more time than it takes to compile."""
    return UsuallyCompiled if method == "jax/backprop" else Child


@pytest.mark.parametrize("kind", [Child, UsuallyCompiled])
def test_jax_backprop_of_reversible_heun_keeps_one_array_a_step(make_case, kind):
    """z, (64, 10) in float32: nothing else grows with the steps, however the program is compiled."""
    short, long = measure(make_case, "jax/backprop", (64, 1024), kind)
    assert long - short == pytest.approx((1024 - 64) * 64 * 10 * 4, rel=0.01)


def measure(make_case, method: str, steps: tuple[int, ...], kind: type[Child] = Child, **axes) -> list[float]:
    """Peak bytes, each in a child of its own, as a run measures it."""
    scheme = "heun" if method.endswith("adjoint") else "reversible-heun"
    axes = {"scheme": scheme, "dim": 10, "batch": 64, "brownian": "own", "dtype": "float32", **axes}
    peaks = []
    for n in steps:
        case = make_case(method=method, steps=n, **axes)
        with child(case, kind=kind) as worker:
            peaks.append(worker.call(kind.peak))
    return peaks


def test_what_xla_plans_is_its_temporary_memory_and_the_results(registry, make_case):
    """On CUDA it stands for the peak. The results are the loss, and gradients as large as θ and y0."""
    case = make_case(method="jax/backprop", noise="none", brownian="own")
    problem = problem_of(registry, case)
    compiled = registry.methods[case.method].build(problem, registry.schemes[case.scheme], case, None)
    values = values_of(case)
    results = 8 * (1 + values.y0.size + sum(value.size for value in values.theta.values()))
    assert 0 <= compiled.planned_bytes() - compiled.temp_bytes() - results <= 64 * (2 + len(values.theta))


def test_pythons_small_objects_add_no_arena_to_a_peak():
    """Python takes 1 MiB at a time for them: now and then a call that keeps a few would seem to take that."""
    kept: list[object] = []
    peaks = [peak_bytes_cpu(lambda: kept.extend((i, str(i)) for i in range(1000))) for _ in range(12)]
    assert max(peaks) < 2**19, peaks
