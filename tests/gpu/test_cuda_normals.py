"""The sampler of a CUDA device: its generator against the published one, its law, and that it can be asked again."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from harness.brownian.cuda_normals import CudaNormals

pytestmark = pytest.mark.gpu
CUDA = torch.device("cuda")


def philox(counter: np.ndarray, key: int) -> list[np.ndarray]:
    """Philox-4x32-10 of the counters (n, 0, 0, 0): four words each. Salmon, Moraes, Dror & Shaw, SC 2011, section 3."""
    mask = np.uint64(2**32 - 1)
    words = [counter.astype(np.uint64), *(np.zeros_like(counter, dtype=np.uint64) for _ in range(3))]
    low, high = np.uint64(key & 0xFFFFFFFF), np.uint64(key >> 32)
    for _ in range(10):
        first, second = np.uint64(0xD2511F53) * words[0], np.uint64(0xCD9E8D57) * words[2]
        words = [
            (second >> np.uint64(32)) ^ words[1] ^ low,
            second & mask,
            (first >> np.uint64(32)) ^ words[3] ^ high,
            first & mask,
        ]
        low, high = (low + np.uint64(0x9E3779B9)) & mask, (high + np.uint64(0xBB67AE85)) & mask
    return words


def test_the_reference_is_the_published_generator():
    """The known answer for a counter and a key of zeros, from the authors' library Random123 (kat_vectors)."""
    assert [int(word[0]) for word in philox(np.zeros(1), 0)] == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


@pytest.mark.parametrize("count", [1, 2, 7, 4096, 5001])
def test_float64_normals_are_box_and_muller_of_philox(count):
    normals = CudaNormals(3, torch.float64, CUDA)
    half = -(-count // 2)
    a, b, c, d = philox(np.arange(half), normals.key_of(1, 9))
    radius, angle = (
        (((high << np.uint64(21)) | (low >> np.uint64(11))).astype(np.float64) + 0.5) * 2.0**-53
        for high, low in ((a, b), (c, d))
    )
    size = np.sqrt(-2 * np.log(radius))
    expected = np.concatenate([size * np.cos(2 * math.pi * angle), size * np.sin(2 * math.pi * angle)])[:count]
    np.testing.assert_allclose(normals(1, 9, count).cpu().numpy(), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_law_is_the_normal_one(dtype):
    """Moments of a million numbers to five standard deviations, and no two draws alike."""
    normals = CudaNormals(11, dtype, CUDA)
    x = normals(0, 5, 1_000_003).double().cpu().numpy()
    n = len(x)
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((x**power).mean() - moment) <= 5 * (variance / n) ** 0.5
    others = [normals(0, 6, n), normals(1, 5, n), CudaNormals(12, dtype, CUDA)(0, 5, n)]
    for other in others:
        assert abs((other.double().cpu().numpy() * x).mean()) <= 5 / n**0.5


def test_a_place_is_the_same_whenever_it_is_asked_for():
    normals = CudaNormals(11, torch.float32, CUDA)
    first = normals(0, 5, 3, 4, 5)
    normals(0, 6, 7)
    assert torch.equal(first, normals(0, 5, 3, 4, 5))
