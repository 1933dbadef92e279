"""The shared path: one sample at every resolution, with the right law."""

from __future__ import annotations

import itertools
import random
import tracemalloc

import numpy as np
import pytest

from harness.brownian.path import SharedPath, _halve, coarsen

Z_BOUND = 5.0
"""Standard errors that a sample moment may be off: for a normal one, by chance once in 1.7 million."""


RECORDED_W = [
    [1.268632662726834, 0.249360605525502],
    [-0.21519821617740043, -0.3950119407472461],
    [0.10313546387073191, -0.5881339526649003],
    [-0.34393408188213115, -0.10364954379273497],
]
RECORDED_H = [
    [-0.09029355609466994, -0.18932852035624795],
    [0.18755275391292825, -0.2454348071009154],
    [0.016527767698059803, 0.253072973135305],
    [-0.2514277049129245, -0.03225776340138986],
]
RECORDED_LAST = [0.3876754837898224, 0.0806992433821562]


def functionals(fine: int, pieces: int) -> np.ndarray:
    """W and H of each of `pieces` equal pieces of [0, 1] from the increments of a fine grid, (2 pieces, fine).

    By definition, not by Chen's relation: H = (1/h) ∫ (W_s − (s/h) W) ds, the integral by the trapezoidal rule.
    """
    count = fine // pieces
    values = np.tril(np.ones((count + 1, count)), -1)  # W at the grid points of a piece, from its increments
    bridge = values - np.arange(count + 1)[:, None] / count * np.ones((1, count))
    weights = np.array([0.5, *[1.0] * (count - 1), 0.5]) / count
    return np.concatenate([np.kron(np.eye(pieces), row) for row in (np.ones((1, count)), weights[None] @ bridge)])


def sample(path: SharedPath, steps: int) -> np.ndarray:
    """W of all steps, then H of all steps, (2 steps, numbers)."""
    W, H = path.increments(steps)
    return np.concatenate([W, H]).reshape(2 * steps, -1)


def z_scores(x: np.ndarray, y: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """How many standard errors the sample covariances E[x yᵀ] are from those expected; samples along the last axis."""
    products = x[:, None, :] * y[None, :, :]
    error = products.std(-1) / np.sqrt(products.shape[-1])
    return np.abs(products.mean(-1) - expected) / error


# The law.


@pytest.mark.parametrize("steps", [1, 2, 6, 8])
def test_law_of_every_level(steps):
    """Per step W ~ N(0, h), H ~ N(0, h/12), all independent: means, variances, covariances; 5 standard errors."""
    numbers = 50_000
    z = sample(SharedPath(11, numbers, 1), steps) * np.repeat([steps, 12 * steps], steps)[:, None] ** 0.5
    assert np.abs(z.mean(-1)).max() * np.sqrt(numbers) < Z_BOUND
    assert z_scores(z, z, np.eye(2 * steps)).max() < Z_BOUND
    assert np.abs((z**4).mean(-1) - 3).max() < Z_BOUND * np.sqrt(96 / numbers)  # normal: var z⁴ is 96
    assert np.abs((z**3).mean(-1)).max() < Z_BOUND * np.sqrt(15 / numbers)


TIMES = [0.0, 0.1, 0.125, 0.37, 0.370005, 1.0]


def test_law_over_any_times():
    """As that of every level, over steps of unequal length; one of them lies deep between two dyadic points."""
    numbers, h = 20_000, np.diff(TIMES)
    W, H = SharedPath(11, numbers, 1).between(np.array(TIMES))
    z = np.concatenate([W[..., 0] / h[:, None] ** 0.5, H[..., 0] / (h[:, None] / 12) ** 0.5])
    assert np.abs(z.mean(-1)).max() * np.sqrt(numbers) < Z_BOUND
    assert z_scores(z, z, np.eye(2 * len(h))).max() < Z_BOUND
    assert np.abs((z**4).mean(-1) - 3).max() < Z_BOUND * np.sqrt(96 / numbers)


@pytest.mark.parametrize("coarse", [1, 2, 4])
def test_joint_law_under_refinement(coarse):
    """Cov of (W, H) on 8 steps with (W, H) on fewer, against the definition on 512 points; 5 standard errors."""
    path = SharedPath(12, 50_000, 1)
    exact = functionals(512, 8) @ functionals(512, coarse).T / 512
    assert exact[0, 0] == pytest.approx(1 / 8)  # Cov(W_left, W_parent)
    found, parents = sample(path, 8), sample(path, coarse)
    assert z_scores(found, parents, exact).max() < Z_BOUND


def test_halving_is_the_law_of_a_brownian_path():
    """The halves are linear in (W, H, X, Y): their exact covariances, and those with the parent, are the definition's.

    To 1e-5: the trapezoidal rule on 512 points misses 1/512² of the variance of H.
    """
    h = 0.7
    parent = np.diag([np.sqrt(h), np.sqrt(h / 12), 1.0, 1.0])  # rows W, H, X, Y over four independent normals
    W, H, X, Y = (parent[None, i][..., None] for i in range(4))  # (1 piece, 4, 1)
    halves_W, halves_H = _halve(W, H, h, np.stack([X, Y], axis=1))
    halves = np.concatenate([halves_W, halves_H])[..., 0]
    rows = np.concatenate([halves, parent[:2]])
    reference = np.concatenate([functionals(512, 2), functionals(512, 1)])
    np.testing.assert_allclose(rows @ rows.T, h * reference @ reference.T / 512, atol=1e-5)
    # Foster, Lyons & Oberhauser 2020, section 3: the midpoint is W/2 + 3H/2 + Z with Z ~ N(0, h/16), and the halves'
    # Lévy areas are H/4 − Z/2 ± N/2 with N ~ N(0, h/12).
    Z, N = np.sqrt(h / 16) * parent[2], np.sqrt(h / 12) * parent[3]
    np.testing.assert_allclose(halves[0], parent[0] / 2 + 3 / 2 * parent[1] + Z, atol=1e-15)
    np.testing.assert_allclose(halves[2:], [parent[1] / 4 - Z / 2 + N / 2, parent[1] / 4 - Z / 2 - N / 2], atol=1e-15)


def test_levy_area_is_the_integral_that_defines_it():
    """H over [0, 1] from the values of W on 4096 points; the rule misses Σ dt H_i, of standard deviation dt/√12."""
    path = SharedPath(5, 50, 2)
    W = np.concatenate([np.zeros((1, 50, 2)), path.increments(4096)[0].cumsum(0)])
    bridge = W - np.linspace(0, 1, 4097)[:, None, None] * W[-1]
    found = ((bridge[1:] + bridge[:-1]) / 2).mean(0)
    assert np.abs(found - path.increments(1)[1][0]).max() < Z_BOUND / 4096 / np.sqrt(12)


# No correlation where there should be none; each sample correlation times √numbers is a z-score.


def test_seeds_are_uncorrelated():
    """Neighbouring seeds, of which replicates may be made."""
    tables = np.stack([sample(SharedPath(seed, 2000, 1), 8).ravel() for seed in (0, 1, 2, 3, 2**63)])
    scores = (np.corrcoef(tables) - np.eye(5)) * np.sqrt(tables.shape[1])
    assert np.abs(scores).max() < Z_BOUND


def test_batch_members_and_brownian_motions_are_uncorrelated():
    tables = np.concatenate([x.reshape(4096, -1) for x in SharedPath(2, 4, 3).increments(4096)], axis=1).T
    scores = (np.corrcoef(tables) - np.eye(24)) * np.sqrt(4096)
    assert np.abs(scores).max() < Z_BOUND


def test_levels_are_uncorrelated():
    """What a level adds, Z = W_left − W/2 − 3H/2, doesn't repeat at the next level's places."""
    path, added = SharedPath(2, 8, 1), []
    for steps in (256, 512, 1024, 2048):
        W, H = path.increments(steps)
        added.append((path.increments(2 * steps)[0][::2] - W / 2 - 1.5 * H)[:256].ravel())
    scores = (np.corrcoef(added) - np.eye(4)) * np.sqrt(added[0].size)
    assert np.abs(scores).max() < Z_BOUND


# The same numbers whatever is asked.


@pytest.mark.parametrize("steps", [2, 12, 64, 300])
def test_coarser_grids_see_the_same_sample(steps):
    """Chen's relation holds between neighbouring levels, to rounding."""
    path = SharedPath(5, 3, 2)
    W, H = coarsen(*path.increments(steps))
    coarse_W, coarse_H = path.increments(steps // 2)
    np.testing.assert_allclose(W, coarse_W, atol=4e-16)
    np.testing.assert_allclose(H, coarse_H, atol=4e-16)


def joined(times: np.ndarray, W: np.ndarray, H: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """W and H of the whole from those of its steps: the integral of W − W(0) is Σ h_i (W before + W_i/2 + H_i)."""
    h = np.diff(times)
    integral = sum(h[i] * (W[:i].sum(0) + W[i] / 2 + H[i]) for i in range(len(h)))
    return W.sum(0), integral / h.sum() - W.sum(0) / 2


@pytest.mark.parametrize("span", [(0.0, 1.0), (0.3, 2.5)])
def test_any_times_see_the_same_sample(span):
    """Whatever other times are asked for: W and H over a stretch follow from those of its parts, to rounding."""
    path = SharedPath(5, 3, 2, *span)
    times = span[0] + (span[1] - span[0]) * np.array([0.0, 0.1, 0.2, 0.33, 0.5, 0.77, 0.9, 1.0])
    W, H = path.between(times)
    for start, stop in ((0, 7), (0, 2), (1, 4), (3, 6), (6, 7)):
        found = joined(times[start : stop + 1], W[start:stop], H[start:stop])
        for part, whole in zip(path.between(times[[start, stop]]), found, strict=True):
            np.testing.assert_allclose(part[0], whole, atol=2e-15)


@pytest.mark.parametrize(("t0", "t1"), [(0.0, 1.0), (0.1, 0.7), (-3.0, 1e3)])
@pytest.mark.parametrize("steps", [8, 10])
def test_a_grid_by_its_times_is_the_grid_by_its_number(t0, t1, steps):
    """However the times were rounded."""
    path = SharedPath(5, 3, 2, t0, t1)
    for times in (np.linspace(t0, t1, steps + 1), t0 + (t1 - t0) / steps * np.arange(steps + 1)):
        times[-1] = t1
        for found, expected in zip(path.between(times), path.increments(steps), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_rounding_does_not_grow_over_levels():
    """Twelve levels down and up again."""
    path = SharedPath(5, 3, 2)
    W, H = path.increments(2**12)
    while len(W) > 1:
        W, H = coarsen(W, H)
    np.testing.assert_allclose(W, path.increments(1)[0], atol=1e-15)
    np.testing.assert_allclose(H, path.increments(1)[1], atol=1e-15)


@pytest.mark.parametrize("steps", [64, 96, 7])
def test_a_stretch_is_the_same_however_it_is_asked_for(steps):
    """Bit for bit, over random splits asked in random order."""
    path, rng = SharedPath(5, 3, 2), random.Random(1)
    whole = path.increments(steps)
    for _ in range(10):
        cuts = sorted({0, steps, *rng.sample(range(1, steps), 4)})
        stretches = list(itertools.pairwise(cuts))
        rng.shuffle(stretches)
        for start, stop in stretches:
            for part, full in zip(path.increments(steps, start, stop), whole, strict=True):
                assert (part == full[start:stop]).all()


def test_total_is_the_sum():
    path = SharedPath(3, 2, 2, t0=0.5, t1=2.0)
    np.testing.assert_allclose(path.increments(16)[0].sum(0), path.total(), atol=1e-14)


def test_time_scales_the_path():
    """On [t0, t1] it is the path of [0, 1] times √(t1 − t0), and so is H."""
    for long, unit in zip(SharedPath(3, 2, 2, 1.0, 5.0).increments(8), SharedPath(3, 2, 2).increments(8), strict=True):
        np.testing.assert_allclose(long, 2 * unit, rtol=1e-12)


def test_the_numbers_themselves_are_fixed():
    """Recorded once: a change of them changes every reference. Other machines may round log, sin and cos otherwise."""
    W, H = SharedPath(2024, 1, 2).increments(4)
    np.testing.assert_allclose(W[:, 0], RECORDED_W, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(H[:, 0], RECORDED_H, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(SharedPath(2024, 1, 2).increments(12, 11, 12)[0][0, 0], RECORDED_LAST, rtol=1e-10)


def test_a_stretch_of_a_very_fine_grid_takes_little_memory():
    """256 of 2^18 steps of 64 × 10: under 10 times the stretch itself, where the whole grid would take 2.7 GB."""
    path = SharedPath(1, 64, 10)
    tracemalloc.start()
    W, H = path.increments(2**18, 2**17 + 3, 2**17 + 259)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert W.shape == H.shape == (256, 64, 10)
    assert peak < 10 * (W.nbytes + H.nbytes)


@pytest.mark.parametrize("times", [[0.0], [0.0, 0.5, 0.5], [-0.1, 1.0], [0.5, 1.1], [0.1, 0.1 + 1e-8]])
def test_bad_times_are_refused(times):
    with pytest.raises(ValueError, match="times"):
        SharedPath(3, 2, 2).between(np.array(times))


def test_a_bad_stretch_is_refused():
    with pytest.raises(ValueError, match="grid of 8"):
        SharedPath(3, 2, 2).increments(8, 4, 9)
