"""The reference of SDEs: its bars hold, it is refined as far as it must, a doubtful one is doubted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from gradients import path_of, problem_of

import harness.reference.sde as module
from harness.brownian.path import SharedPath
from harness.gradient_arrays import GradientArrays, relative_error
from harness.problem import AbstractProblem
from harness.reference import ReferenceCache, grid_solve
from harness.reference.bars import ROUNDING
from harness.reference.closed_form import closed_form
from harness.reference.sde import bar, path_solve, sde, still_to_come, strongest

CLOSED = [
    ("example1", ("diagonal",), (8, 1)),
    ("example2", ("diagonal",), (3, 6)),
    ("example3", ("additive", "diagonal"), (5, 2)),
    ("gbm", ("scalar",), (8, 1)),
    ("commuting", ("general",), (2, 4)),
]
"""Problem, its kinds of noise, and dimensions: even seeds have the first, odd ones the last of each."""


@pytest.fixture
def coarse(monkeypatch):
    """Coarser grids too: the same code, faster."""
    monkeypatch.setattr(module, "COARSEST", {True: 32, False: 32})


def covered(registry, case, seed: int, cache: ReferenceCache) -> bool:
    """Whether the numeric reference's bars cover its distance to the closed form, of θ and of y0."""
    it = problem_of(registry, case)
    path = path_of(it, case, seed)
    exact = closed_form(it, case, path)
    assert exact is not None
    assert path is not None
    numeric = sde(it, case, path, cache, most_steps=1)
    return all(
        relative_error(getattr(numeric.gradient, part), getattr(exact, part)) <= getattr(numeric, part)
        for part in ("theta", "y0")
    )


@pytest.mark.parametrize(("problem", "noises", "dims"), CLOSED)
def test_the_bar_covers_the_distance_to_the_closed_form(registry, make_case, tmp_path, problem, noises, dims):
    """For all of 20 seeds of parameters, initial values and paths, at two dimensions: of 100 in all."""
    cache = ReferenceCache(tmp_path)
    assert all(
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
        for seed in range(20)
    )


@pytest.mark.parametrize("noise", ["general", "diagonal"])
def test_the_bar_covers_the_error_where_noise_does_not_commute(registry, make_case, coarse, tmp_path, noise):
    """For θ and for y0 in 95% of 12 seeds each, against a grid 64 times as fine (an eighth of the error).

    The distance of two grids alone doesn't: at order ½ it is below the finer one's error in a third of all cases.
    """
    cache, covered = ReferenceCache(tmp_path), []
    for seed in range(12):
        case = make_case(
            problem="neural(width=4)", noise=noise, calculus="stratonovich", dim=3, batch=1, steps=8, seed=seed
        )
        it = problem_of(registry, case)
        path = path_of(it, case, seed)
        assert path is not None
        found, truth = sde(it, case, path, cache, most_steps=1), path_solve(it, case, path, 2**13)
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
    assert bar([0.0], 0.5) == ROUNDING
    assert bar([float("inf"), 1.0], 0.5) == bar([1.0], 0.5)  # a grid too coarse to stay finite says nothing
    assert bar([1.0, float("inf")], 0.5) == float("inf")


@pytest.mark.parametrize("order", [0.5, 1.0, 1.5])
def test_distances_that_fall_too_slowly_make_a_larger_bar(order):
    """At their order nothing is added; at a quarter of it what a geometric series leaves; where they grow no bound."""
    as_they_should, slowly = [1.0, 4.0**-order], [1.0, 4.0 ** (-order / 4)]
    assert still_to_come(as_they_should, order) == 0
    assert still_to_come(slowly, order) > slowly[1]
    assert still_to_come([1e-6, 1e-2], order) == (float("inf") if order >= 1 else pytest.approx(0.1))
    assert still_to_come([1e-14, 2e-14], order) == 0  # rounding


@pytest.mark.parametrize(
    ("problem", "noise", "scheme"), [("example1", "diagonal", "slowrk"), ("neural", "general", "heun")]
)
def test_the_strongest_scheme_that_the_noise_allows_is_taken(registry, make_case, problem, noise, scheme):
    assert strongest(problem_of(registry, make_case(problem=problem, noise=noise))).name == scheme


def test_it_is_refined_until_the_smallest_error_is_resolved(registry, make_case, coarse, tmp_path, monkeypatch):
    """Each level is asked for once, no level more than it takes, and none above the bound."""
    asked = []

    def counting(problem, case, path, steps, scheme):
        if scheme.name == "slowrk":
            asked.append(steps)
        return path_solve(problem, case, path, steps, scheme)

    monkeypatch.setattr(module, "path_solve", counting)
    case = make_case(problem="neural-commutative", steps=16, batch=2)
    it, cache = problem_of(registry, case), ReferenceCache(tmp_path)
    path = path_of(it, case)
    assert path is not None
    truth = sde(it, case, path, cache, most_steps=2**9)
    assert asked == [8, 32, 128]
    off = GradientArrays(truth.gradient.loss, truth.gradient.theta * (1 + 2 * truth.theta), truth.gradient.y0 * 1.5)
    better = sde(it, case, path, cache, found=[off], most_steps=2**13)
    assert better.theta < truth.theta
    assert asked == [8, 32, 128, 512]  # 128 came from the cache
    hopeless = GradientArrays(off.loss, truth.gradient.theta * (1 + 1e-12), off.y0)
    sde(it, case, path, cache, found=[hopeless], most_steps=2**11)
    assert asked == [8, 32, 128, 512, 2048]


@pytest.mark.parametrize("together", [1, 2**12, 2**20])
def test_the_noise_is_the_same_however_much_is_made_at_once(registry, make_case, monkeypatch, together):
    """To the last bit: a chunk at a time, some chunks with a rest of the grid after them, all of it."""
    case = make_case(noise="diagonal", batch=2, dim=3, steps=28, observations=7)
    it = problem_of(registry, case)
    path = SharedPath(3, 2, it.noise_dim)
    expected = path_solve(it, case, path, 1500)
    monkeypatch.setattr(module, "TOGETHER", together)
    found = path_solve(it, case, path, 1500)
    assert found.loss == expected.loss
    assert np.array_equal(found.theta, expected.theta)
    assert np.array_equal(found.y0, expected.y0)


@pytest.mark.parametrize("noise", ["diagonal", "general"])
def test_the_fine_grid_holds_a_chunk_at_a_time(registry, make_case, monkeypatch, noise):
    """From 2^9 to 2^11 steps the peak grows by less than a quarter of the noise, or of the states, of the new steps.

    Chunks are a quarter of the usual ones, and noise is made for four of them at once. The state at every 64th step is
    all that is kept. XLA frees the inputs of a finished call from a thread of its own, so that a few chunks, of 65 kB
    of noise and as much of states each, may be held at once, however many steps.
    """
    from harness.measuring.memory import peak_bytes_cpu

    monkeypatch.setattr(grid_solve, "CHUNK", 2**6)
    monkeypatch.setattr(module, "TOGETHER", 1)
    case = make_case(noise=noise, batch=16, dim=8)
    it = problem_of(registry, case)
    path = SharedPath(1, 16, it.noise_dim)
    peaks = []
    for steps in (2**9, 2**11):
        path_solve(it, case, path, steps)  # compiles
        peaks.append(peak_bytes_cpu(lambda steps=steps: path_solve(it, case, path, steps)))
    added = 16 * 8 * 8 * (2**11 - 2**9)  # bytes of float64: a state is as large as the noise of a step, or larger
    assert peaks[1] - peaks[0] < added / 4


@dataclass(frozen=True, kw_only=True)
class AbstractHard(AbstractProblem):
    """An SDE with a closed form at which grids may fail."""

    @classmethod
    def unsupported(cls, noise: str, calculus: str) -> str | None:
        return None

    def initial(self, normals: Any, batch: int) -> np.ndarray:
        return 1.0 + 0.1 * normals(batch, self.dim)

    def loss(self, xp: Any, ys: Any) -> Any:
        return (ys**2).mean()


class OneCompiled(AbstractHard):
    """One compiled solve serves all problems of a class, which differ in their arrays alone."""

    def __hash__(self) -> int:
        return hash(type(self))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)


@dataclass(frozen=True, kw_only=True, eq=False)
class StiffDrift(OneCompiled):
    """dY = −k Y dt + s Y ∘ dW, with k up to thousands."""

    name = "stiff-drift"
    k: float = 1.0

    def parameters(self, normals: Any) -> dict[str, np.ndarray]:
        return {"k": np.full(self.dim, self.k), "s": np.full(self.dim, 0.5)}

    def drift(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        return -theta["k"] * y

    def diffusion(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        return theta["s"] * y

    def solution(self, xp: Any, t: Any, W: Any, y0: Any, theta: Any) -> Any:
        return y0 * xp.exp(-theta["k"] * t + theta["s"] * W)

    @property
    def commutative(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True, eq=False)
class LargeNoise(OneCompiled):
    """dY = s Y ∘ dW with a large s."""

    name = "large-noise"
    s: float = 1.0

    def parameters(self, normals: Any) -> dict[str, np.ndarray]:
        return {"s": np.full(self.dim, self.s)}

    def drift(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        return 0.0 * y

    def diffusion(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        return theta["s"] * y

    def solution(self, xp: Any, t: Any, W: Any, y0: Any, theta: Any) -> Any:
        return y0 * xp.exp(theta["s"] * W)

    @property
    def commutative(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class LateDrift(AbstractHard):
    """dY = a m t^(m − 1) Y dt + s Y ∘ dW: for a large m the drift is nothing until the end."""

    name = "late-drift"
    power: float = 1.0

    def parameters(self, normals: Any) -> dict[str, np.ndarray]:
        return {"a": np.ones(self.dim), "s": np.full(self.dim, 0.5)}

    def drift(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        return theta["a"] * self.power * t ** (self.power - 1) * y

    def diffusion(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        return theta["s"] * y

    def solution(self, xp: Any, t: Any, W: Any, y0: Any, theta: Any) -> Any:
        return y0 * xp.exp(theta["a"] * t**self.power + theta["s"] * W)

    @property
    def commutative(self) -> bool:
        return True


HARD = (
    *(StiffDrift(noise="diagonal", calculus="stratonovich", dim=2, k=k) for k in (30.0, 300.0, 1000.0, 2500.0, 1e4)),
    *(LargeNoise(noise="diagonal", calculus="stratonovich", dim=2, s=s) for s in (1.0, 3.0, 6.0, 12.0)),
    *(LateDrift(noise="diagonal", calculus="stratonovich", dim=2, power=m) for m in (50.0, 500.0, 5000.0, 50000.0)),
)


def test_the_bar_covers_where_all_grids_are_too_coarse(make_case, tmp_path):
    """Stiff drifts, large noise and drifts that come late, beyond what the grids resolve: 95% of 78."""
    cache, covered = ReferenceCache(tmp_path), []
    for problem in HARD:
        for seed in range(3):
            case = make_case(problem=problem.name, batch=2, dim=2, steps=8, seed=seed)
            path = SharedPath(seed, 2, 2)
            exact, found = closed_form(problem, case, path), sde(problem, case, path, cache, most_steps=1)
            assert exact is not None
            covered += [
                relative_error(getattr(found.gradient, part), getattr(exact, part)) <= getattr(found, part)
                for part in ("theta", "y0")
            ]
    assert np.mean(covered) >= 0.95


@dataclass(frozen=True, kw_only=True)
class SaysItCommutes(AbstractHard):
    """Two noises that do not commute, of a problem that says that they do."""

    name = "says-it-commutes"

    @property
    def commutative(self) -> bool:
        return True

    def parameters(self, normals: Any) -> dict[str, np.ndarray]:
        return {"s": np.array(1.0)}

    def drift(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        return -y

    def diffusion(self, xp: Any, t: Any, y: Any, theta: Any) -> Any:
        zero = 0.0 * y[:, 0]
        first, second = xp.stack([zero + 1.0, zero], 1), xp.stack([zero, y[:, 0]], 1)
        return theta["s"] * xp.stack([first, second], 2)


def test_noise_that_is_said_to_commute_and_does_not_is_doubted(make_case, tmp_path):
    """SlowRK then converges, to something else: its own grids agree better than the solution is known."""
    problem = SaysItCommutes(noise="general", calculus="stratonovich", dim=2)
    doubted = 0
    for seed in range(4):
        case = make_case(problem=problem.name, noise="general", batch=1, dim=2, steps=8, seed=seed)
        path = SharedPath(seed, 1, 2)
        found = sde(problem, case, path, ReferenceCache(tmp_path), most_steps=1)
        truth = path_solve(problem, case, path, 2**15, module._HEUN)
        doubted += relative_error(found.gradient.theta, truth.theta) <= found.theta
    assert doubted == 4
