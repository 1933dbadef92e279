"""The shared path: one sample at every resolution, with the right law."""

from __future__ import annotations

import numpy as np
import pytest

from harness.brownian.path import SharedPath, coarsen


@pytest.mark.parametrize("steps", [2, 12, 64, 1000])
def test_coarser_grids_see_the_same_sample(steps):
    """Chen's relation holds between neighbouring levels."""
    path = SharedPath(5, 3, 2)
    W, H = coarsen(*path.increments(steps))
    coarse_W, coarse_H = path.increments(steps // 2)
    np.testing.assert_allclose(W, coarse_W, atol=1e-14)
    np.testing.assert_allclose(H, coarse_H, atol=1e-14)


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (5, 6), (3, 40), (63, 64), (0, 64)])
def test_a_stretch_is_the_same_however_it_is_asked_for(start, stop):
    path = SharedPath(5, 3, 2)
    W, H = path.increments(64)
    part_W, part_H = path.increments(64, start, stop)
    assert (part_W == W[start:stop]).all()
    assert (part_H == H[start:stop]).all()


@pytest.mark.parametrize("steps", [1, 6, 32])
def test_law_of_increments_and_levy_areas(steps):
    """Per step W ~ N(0, h), H ~ N(0, h/12), all independent: each covariance within 5 standard errors."""
    batch = 20_000
    W, H = SharedPath(11, batch, 1).increments(steps)
    z = np.concatenate([W[..., 0] * np.sqrt(steps), H[..., 0] * np.sqrt(12 * steps)])
    covariance = z @ z.T / batch
    assert np.abs(z.mean(axis=1)).max() < 5 / np.sqrt(batch)
    assert np.abs(covariance - np.eye(2 * steps)).max() < 5 * np.sqrt(2 / batch)


def test_seeds_are_uncorrelated():
    a = SharedPath(1, 5000, 1).increments(8)[0].ravel()
    b = SharedPath(2, 5000, 1).increments(8)[0].ravel()
    assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(a.size)


def test_total_is_the_sum():
    path = SharedPath(3, 2, 2, t0=0.5, t1=2.0)
    np.testing.assert_allclose(path.increments(16)[0].sum(0), path.total(), atol=1e-14)


def test_a_bad_stretch_is_refused():
    with pytest.raises(ValueError, match="grid of 8"):
        SharedPath(3, 2, 2).increments(8, 4, 9)
