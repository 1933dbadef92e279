"""The counter-based normals."""

from __future__ import annotations

import numpy as np

from harness.random import Normals, normal_rows, splitmix


def test_rows_do_not_depend_on_what_is_asked_with_them():
    table = normal_rows(key=(1, 2), stream=3, first=0, rows=10, row_size=7)
    assert (normal_rows(key=(1, 2), stream=3, first=4, rows=2, row_size=7) == table[4:6]).all()


def test_the_numbers_themselves_are_fixed():
    """Recorded once: a change of them changes every reference. Bits are Philox's own, so only rounding may differ."""
    found = normal_rows(key=(1, 2), stream=0, first=0, rows=1, row_size=4)[0]
    raw = np.random.Philox(key=np.array([1, 2], dtype=np.uint64), counter=[0, 0, 0, 0]).random_raw(4)
    uniform = [((int(word) >> 11) + 0.5) * 2.0**-53 for word in raw]
    radius = [np.sqrt(-2 * np.log(u)) for u in uniform[:2]]
    expected = [radius[0] * np.cos(2 * np.pi * uniform[2]), radius[1] * np.cos(2 * np.pi * uniform[3])]
    np.testing.assert_allclose(found[:2], expected, rtol=1e-15)


def test_normals_are_normal():
    values = Normals(9)(200_000)
    assert abs(values.mean()) < 5 / np.sqrt(values.size)
    assert abs(values.var() - 1) < 5 * np.sqrt(2 / values.size)
    assert abs((values**4).mean() - 3) < 5 * np.sqrt(96 / values.size)


def test_splitmix_spreads_neighbours():
    assert len({splitmix(seed, replicate) for seed in range(50) for replicate in range(50)}) == 2500
    assert splitmix(1, 2) != splitmix(2, 1)
