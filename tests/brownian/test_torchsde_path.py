"""The shared path as torchsde asks for it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchsde._brownian import ReverseBrownian

from harness.brownian.path import SharedPath
from harness.brownian.torchsde_path import InjectedAtAnyTime, InjectedBrownian

STEPS = 16


@pytest.fixture
def injected(make_case):
    path = SharedPath(7, 4, 3, 0.5, 2.5)
    return path, InjectedBrownian(make_case(steps=STEPS), path)


@pytest.mark.parametrize("pieces", [16, 8, 2, 1])
def test_queries_over_several_steps_are_those_of_a_coarser_grid(injected, pieces):
    """W is the sum; U = ∫ (W_s − W_ta) ds = h (W/2 + H) with the coarser grid's W and H."""
    path, bm = injected
    h = 2.0 / pieces
    W, H = path.increments(pieces)
    for n in range(pieces):
        found_W, found_U = bm(0.5 + n * h, 0.5 + (n + 1) * h, return_U=True)
        np.testing.assert_allclose(found_W, W[n], atol=1e-14)
        np.testing.assert_allclose(found_U, h * (W[n] / 2 + H[n]), atol=1e-14)
        np.testing.assert_allclose(bm(0.5 + n * h, 0.5 + (n + 1) * h), W[n], atol=1e-14)


def test_chen_of_neighbouring_queries(injected):
    """Over [a, c], U is U of [a, b], plus (c − b) times W of [a, b], plus U of [b, c]."""
    _, bm = injected
    a, b, c = 0.5 + 3 / 8, 0.5 + 5 / 8, 0.5 + 10 / 8
    (W1, U1), (_, U2), (W, U) = (bm(s, t, return_U=True) for s, t in ((a, b), (b, c), (a, c)))
    torch.testing.assert_close(U, U1 + (c - b) * W1 + U2, atol=1e-14, rtol=0)
    torch.testing.assert_close(W, bm(a, b) + bm(b, c), atol=1e-14, rtol=0)


def test_backward_queries_are_the_same_increments(injected):
    """torchsde's reversed time is −t, and its adjoint SDE carries the sign: the increment is the forward one."""
    path, bm = injected
    times = torch.linspace(0.5, 2.5, STEPS + 1, dtype=torch.float64)
    reverse = ReverseBrownian(bm)
    W = path.increments(STEPS)[0]
    for n in reversed(range(STEPS)):
        np.testing.assert_array_equal(reverse(-times[n + 1], -times[n]), W[n])
        np.testing.assert_array_equal(bm(times[n], times[n + 1]), W[n])


def test_what_it_has_not_it_refuses(injected):
    _, bm = injected
    with pytest.raises(NotImplementedError, match="no Lévy area A"):
        bm(0.5, 1.0, return_A=True)
    with pytest.raises(NotImplementedError, match="intervals"):
        bm(0.5)


def test_at_any_time_it_is_one_path(make_case):
    """W is a function of time: increments add up, backwards too, and are those of the path at the nearest cells."""
    path = SharedPath(7, 4, 3, 0.5, 2.5)
    bm = InjectedAtAnyTime(make_case(), path)
    a, b, c = 0.5, 0.5 + 2 * 0.3, 2.5
    torch.testing.assert_close(bm(a, c), bm(a, b) + bm(b, c), atol=1e-14, rtol=0)
    torch.testing.assert_close(ReverseBrownian(bm)(-torch.tensor(c), -torch.tensor(a)), bm(a, c), atol=0, rtol=0)
    np.testing.assert_allclose(bm(a, c), path.total(), atol=1e-14)
    # Half a cell of 2^-20 of the interval: 6 standard deviations of W over it.
    np.testing.assert_allclose(bm(a, b), path.between(np.array([a, b]))[0][0], atol=6e-3)
    cell = 2.0 / 2**20
    np.testing.assert_array_equal(bm(a, b + 0.1 * cell), bm(a, b))
    with pytest.raises(NotImplementedError, match="without areas"):
        bm(a, b, return_U=True)
