"""Noise that stands in for images."""

from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.data.likeness import distinct
from mobilenet_edge.quantise import synthetic


def test_shape_type_and_range():
    made = synthetic.images(3, (48, 32, 3))
    assert (made.shape, made.dtype) == ((3, 48, 32, 3), np.float32)
    assert (made.min(), made.max()) == (-1, 1)


def test_the_whole_range_is_used():
    # A range that calibration never sees would be cut off in every image that has it.
    made = synthetic.images(16, (64, 64, 3))
    low, high = np.percentile(made, (10, 90))
    assert (low, high) == (-1, 1)
    assert abs(made.mean()) < 0.2
    assert (np.abs(made) < 0.5).mean() > 0.1


def test_the_same_seed_gives_the_same_images_and_another_others():
    first, again, other = (synthetic.images(2, (32, 32, 3), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1])


def test_channels_differ():
    red, green, _ = np.moveaxis(synthetic.images(1, (32, 32, 3)), -1, 0)
    assert not np.array_equal(red, green)


def test_neighbours_are_alike_as_in_images():
    made = synthetic.images(8, (64, 64, 3)).astype(np.float64)
    beside = np.corrcoef(made[:, :, 1:].ravel(), made[:, :, :-1].ravel())[0, 1]
    across = np.corrcoef(made[:, :, 32:].ravel(), made[:, :, :32].ravel())[0, 1]
    # White noise has 0 in both; the coarsest of six levels, half of the energy, reaches across the whole image.
    assert beside > 0.8
    assert across < beside


@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 5, 3), (32, 32, 1)])
def test_small_and_odd_shapes(shape):
    assert synthetic.images(2, shape).shape == (2, *shape)


def test_the_note_says_what_it_means():
    assert synthetic.NOTE == "synthetic calibration; accuracy unknown"


def test_leaves_have_edges_as_photographs_have():
    made = synthetic.leaves(16, (64, 64, 3)).astype(np.float64)
    assert np.abs(made).max() <= 1
    # Differences between neighbours are mostly small and sometimes large: 3 for a normal distribution.
    steps = np.diff(made, axis=2).ravel()
    kurtosis = ((steps - steps.mean()) ** 4).mean() / steps.var() ** 2
    assert kurtosis > 8
    assert np.corrcoef(made[:, :, 1:].ravel(), made[:, :, :-1].ravel())[0, 1] > 0.8


def test_leaves_differ_and_a_seed_repeats_them():
    first, again, other = (synthetic.leaves(3, (32, 32, 3), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert distinct(synthetic.leaves(30, (64, 64, 3)), 2) >= 28


@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 5, 3), (48, 96, 1)])
def test_leaves_of_any_shape(shape):
    made = synthetic.leaves(2, shape)
    assert (made.shape, made.dtype) == ((2, *shape), np.float32)
    assert np.isfinite(made).all()
