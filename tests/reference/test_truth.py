"""The reference: its bar holds, it is refined as far as it must, its memory is bounded."""

from __future__ import annotations

import numpy as np
import pytest
from gradients import gradient, path_of, problem_of

import harness.reference.fine_grid as fine_grid_module
import harness.reference.truth as module
from harness.brownian.path import SharedPath
from harness.gradient_arrays import GradientArrays, relative_error
from harness.reference import ReferenceCache, continuous, discrete
from harness.reference.adaptive import adaptive
from harness.reference.closed_form import closed_form
from harness.reference.fine_grid import fine_grid, strongest
from harness.reference.truth import bar

CLOSED = [
    ("example1", ("diagonal",), (8, 1)),
    ("example2", ("diagonal",), (3, 6)),
    ("example3", ("additive", "diagonal"), (5, 2)),
    ("gbm", ("scalar",), (8, 1)),
    ("commuting", ("general",), (2, 4)),
    ("linear", ("none",), (6, 3)),
]
"""Problem, its kinds of noise, and dimensions: even seeds have the first, odd ones the last of each."""


@pytest.fixture
def numeric(monkeypatch):
    """No closed forms."""
    monkeypatch.setattr(module, "closed_form", lambda *_: None)


@pytest.fixture
def coarse(monkeypatch, numeric):
    """Coarser grids too: the same code, faster."""
    monkeypatch.setattr(module, "COARSEST", {True: 32, False: 32})
    monkeypatch.setattr(fine_grid_module, "CHUNK", 16)


def covered(registry, case, seed: int, cache: ReferenceCache) -> bool:
    """Whether the numeric reference's bars cover its distance to the closed form, of θ and of y0."""
    it = problem_of(registry, case)
    path = path_of(it, case, seed)
    exact = closed_form(it, case, path)
    assert exact is not None
    numeric = continuous(it, case, path, cache, most_steps=1)
    return all(
        relative_error(getattr(numeric.gradient, part), getattr(exact, part)) <= getattr(numeric, part)
        for part in ("theta", "y0")
    )


@pytest.mark.parametrize(("problem", "noises", "dims"), CLOSED)
def test_the_bar_covers_the_distance_to_the_closed_form(registry, make_case, numeric, tmp_path, problem, noises, dims):
    """For all of 20 seeds of parameters, initial values and paths, at two dimensions, and 95% of 34: of 204 in all."""
    cache = ReferenceCache(tmp_path)
    found = [
        covered(
            registry,
            make_case(
                problem=problem,
                noise=noises[seed % len(noises)],
                calculus="ito",
                scheme="euler",
                dim=dims[seed % 2],
                observations=2,
                seed=seed,
                batch=2,
                steps=8,
            ),
            seed,
            cache,
        )
        for seed in range(34)
    ]
    assert all(found[:20])
    assert np.mean(found) >= 0.95


@pytest.mark.parametrize("noise", ["general", "diagonal"])
def test_the_bar_covers_the_error_where_noise_does_not_commute(registry, make_case, coarse, tmp_path, noise):
    """For θ and for y0 in 95% of 20 seeds each, against a grid 64 times as fine (an eighth of the error).

    The distance of two grids alone doesn't: at order ½ it is below the finer one's error in a third of all cases.
    """
    cache, covered = ReferenceCache(tmp_path), []
    for seed in range(20):
        case = make_case(
            problem="neural(width=4)", noise=noise, calculus="stratonovich", dim=3, batch=1, steps=8, seed=seed
        )
        it = problem_of(registry, case)
        path = path_of(it, case, seed)
        assert path is not None
        found, truth = continuous(it, case, path, cache, most_steps=1), fine_grid(it, case, path, 2**13)
        covered += [
            relative_error(getattr(found.gradient, part), getattr(truth, part)) <= getattr(found, part)
            for part in ("theta", "y0")
        ]
    assert np.mean(covered) >= 0.95


@pytest.mark.parametrize("order", [0.5, 1.5])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_bar_covers_errors_that_are_sums_of_independent_ones(order, count):
    """Of 20,000 made-up solves at grids 1, 4, 16 … whose errors are normal, 95% or more."""
    normals = np.random.default_rng(0).normal(size=(20_000, count + 1))
    q = 4.0**order
    sizes = q ** -np.arange(count + 1.0)  # of the errors, the finest's last
    own = np.append(sizes[:-1] * np.sqrt(1 - q**-2), sizes[-1])  # what each level adds to the next finer one's error
    distances = np.abs(own[:-1] * normals[:, :-1])
    bars = np.array([bar(list(row), order) for row in distances])
    assert np.mean(np.abs(sizes[-1] * normals[:, -1]) <= bars) >= 0.947  # three standard deviations below 0.95


def test_the_bar_is_never_below_the_last_distance_nor_rounding():
    assert bar([1e-20, 1.0], 1.5) == 1.0
    assert bar([0.0], 0.5) == module.ROUNDING
    assert bar([float("inf"), 1.0], 0.5) == bar([1.0], 0.5)  # a grid too coarse to stay finite says nothing
    assert bar([1.0, float("inf")], 0.5) == float("inf")


@pytest.mark.parametrize(
    ("problem", "noise", "scheme"), [("example1", "diagonal", "slowrk"), ("neural", "general", "heun")]
)
def test_the_strongest_scheme_that_the_noise_allows_is_taken(registry, make_case, problem, noise, scheme):
    assert strongest(problem_of(registry, make_case(problem=problem, noise=noise))).name == scheme


@pytest.mark.parametrize(("problem", "noises", "dims"), CLOSED)
def test_a_closed_form_is_used_where_there_is_one(registry, make_case, tmp_path, problem, noises, dims):
    case = make_case(problem=problem, noise=noises[0], dim=dims[0], steps=8)
    it = problem_of(registry, case)
    found = continuous(it, case, path_of(it, case), ReferenceCache(tmp_path), most_steps=1)
    assert (found.theta, found.y0) == (module.ROUNDING, module.ROUNDING)


def test_it_is_refined_until_the_smallest_error_is_resolved(registry, make_case, coarse, tmp_path, monkeypatch):
    """Each level is asked for once, no level more than it takes, and none above the bound."""
    asked = []

    def counting(problem, case, path, steps):
        asked.append(steps)
        return fine_grid(problem, case, path, steps)

    monkeypatch.setattr(module, "fine_grid", counting)
    case = make_case(problem="neural-commutative", steps=16, batch=2)
    it, cache = problem_of(registry, case), ReferenceCache(tmp_path)
    path = path_of(it, case)
    truth = continuous(it, case, path, cache, most_steps=2**9)
    assert asked == [32, 128]
    off = GradientArrays(truth.gradient.loss, truth.gradient.theta * (1 + 2 * truth.theta), truth.gradient.y0 * 1.5)
    better = continuous(it, case, path, cache, found=[off], most_steps=2**13)
    assert better.theta < truth.theta
    assert asked == [32, 128, 512]  # 128 came from the cache
    hopeless = GradientArrays(off.loss, truth.gradient.theta * (1 + 1e-12), off.y0)
    continuous(it, case, path, cache, found=[hopeless], most_steps=2**11)
    assert asked == [32, 128, 512, 2048]


@pytest.mark.parametrize("observations", [1, 4])
def test_an_ode_is_solved_to_rounding(registry, make_case, observations):
    case = make_case(problem="linear", noise="none", observations=observations, steps=8)
    it = problem_of(registry, case)
    exact = closed_form(it, case, None)
    assert exact is not None
    found = adaptive(it, case, 1e-13)
    assert relative_error(found.theta, exact.theta) < 1e-12
    assert relative_error(found.y0, exact.y0) < 1e-12


def test_the_adaptive_reference_keeps_checkpoints_alone(registry, make_case):
    """For up to 2^17 steps room for 511 checkpoints, ⌊√(2 · 2^17 + ¼) − ½⌋ as diffrax has it, three arrays each."""
    from harness.initial import initial_values
    from harness.reference.adaptive import _gradient

    case = make_case(problem="linear", noise="none", dim=4, batch=256)
    y0, theta = initial_values(problem_of(registry, case), case.batch, case.seed)
    analysis = _gradient.lower(problem_of(registry, case), 1, y0, theta, 1e-13).compile().memory_analysis()
    assert analysis is not None
    assert analysis.temp_size_in_bytes <= 1.05 * 3 * 511 * y0.nbytes


@pytest.mark.parametrize("noise", ["diagonal", "general"])
def test_the_fine_grid_holds_a_chunk_at_a_time(registry, make_case, noise):
    """Four times the steps take hardly more memory: the state at every 256th step is all that is kept."""
    from harness.measure.memory import peak_bytes_cpu

    case = make_case(noise=noise, batch=16, dim=8)
    it = problem_of(registry, case)
    path = SharedPath(1, 16, it.noise_dim)
    peaks = []
    for steps in (2**11, 2**13):
        fine_grid(it, case, path, steps)  # compiles
        peaks.append(peak_bytes_cpu(lambda steps=steps: fine_grid(it, case, path, steps)))
    kept = 16 * 8 * 8 * (2**13 - 2**11) // 256
    assert peaks[1] < 1.3 * peaks[0] + 2 * kept


def test_discrete_is_the_gradient_of_the_cases_own_solve(registry, make_case):
    case = make_case(method="torch/backprop", steps=8)
    it = problem_of(registry, case)
    asked = make_case(method="torch/adjoint", dtype="float32", steps=8)
    found = discrete(it, registry.schemes["heun"], asked, path_of(it, case))
    assert relative_error(found.theta, gradient(registry, case).theta) < 1e-13
