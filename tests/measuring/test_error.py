"""Errors and angles of gradients whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.gradient_arrays import GradientArrays, relative_error
from harness.measuring.error import cosine, errors


def test_relative_errors_at_zero():
    zero, one = np.zeros(2), np.ones(2)
    assert relative_error(zero, zero) == 0
    assert relative_error(one, zero) == float("inf")


def test_the_cosine():
    assert cosine(np.array([1.0, 0.0]), np.array([1.0, 1.0])) == pytest.approx(0.5**0.5)
    assert cosine(np.array([2.0, 0.0]), np.array([-3.0, 0.0])) == -1
    assert cosine(np.zeros(2), np.zeros(2)) == 1
    assert math.isnan(cosine(np.zeros(2), np.ones(2)))


def test_each_error_is_against_its_own_truth():
    found = GradientArrays(2.2, np.array([3.0, 4.5]), np.array([1.0]))
    truth = GradientArrays(2.0, np.array([3.0, 4.0]), np.array([2.0]))
    exact = GradientArrays(9.0, np.array([3.0, 4.5]), np.array([0.5]))
    expected = {
        "gradient_error_theta": 0.1,
        "gradient_error_y0": 0.5,
        "gradient_cosine_theta": (9 + 18) / (5 * 29.25**0.5),
        "gradient_cosine_y0": 1.0,
        "adjoint_error_theta": 0.0,
        "adjoint_error_y0": 1.0,
        "loss_error": 0.1,
    }
    assert errors(found, truth, exact) == pytest.approx(expected)
