"""Weights below 0 are held at 0, and the others are the best there are."""

import numpy as np
import pytest

from mobilenet_edge.analysis.regression import nonnegative


def test_weights_that_are_positive_anyway_are_those_of_least_squares():
    # x + y = 3, x - y = 1, x = 2: exactly (2, 1)
    assert nonnegative(np.array([[1.0, 1], [1, -1], [1, 0]]), np.array([3.0, 1, 2])) == pytest.approx([2, 1])


def test_a_weight_that_would_be_negative_is_nothing_and_the_other_makes_up():
    # Least squares would be (3, -1); with y held at 0, x is the mean of 2 and 4.
    assert nonnegative(np.array([[1.0, 1], [1, -1]]), np.array([2.0, 4])) == pytest.approx([3, 0])


def test_nothing_helps():
    assert nonnegative(np.array([[1.0], [2.0]]), np.array([-1.0, -1.0])).tolist() == [0]


@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_minimum(seed):
    """Where the slope is taken (Karush-Kuhn-Tucker): 0 for what is free, upwards for what is held at 0."""
    chance = np.random.default_rng(seed)
    matrix, target = chance.normal(size=(8, 5)), chance.normal(size=8)
    weights = nonnegative(matrix, target)
    slope = matrix.T @ (matrix @ weights - target)
    assert (weights >= 0).all()
    assert slope[weights > 0] == pytest.approx(0, abs=1e-9)
    assert (slope[weights == 0] >= -1e-9).all()


def test_columns_that_are_the_same_end_too():
    column = np.array([1.0, 2, 3])
    weights = nonnegative(np.stack([column, column], axis=1), 2 * column)
    assert weights.sum() == pytest.approx(2)
