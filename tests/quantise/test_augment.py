"""Views of calibration pictures: how many, in which order, and that each shows a part of its picture."""

from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.quantise import augment as module
from mobilenet_edge.quantise.augment import augment, independent
from mobilenet_edge.quantise.solve import Options


def ramps(count, size=20):
    """Images whose two channels hold the row and the column of each pixel, and whose third holds their number."""
    row, column = np.indices((size, size), np.float32)
    return np.stack([np.stack([row, column, np.full_like(row, index)], axis=-1) for index in range(count)])


def test_images_come_first_then_their_mirror_images():
    images = ramps(3)
    views = augment(images, 4)
    assert (views.shape, views.dtype) == ((12, 20, 20, 3), np.float32)
    np.testing.assert_array_equal(views[:3], images)
    np.testing.assert_array_equal(views[3:6], images[:, :, ::-1])


def test_crops_are_straight_parts_of_their_picture():
    images = ramps(3)
    seen_mirrored = set()
    for index, view in enumerate(augment(images, 10)[6:]):
        np.testing.assert_allclose(view[..., 2], index % 3)
        rows, columns = view[:, 0, 0], view[0, :, 1]
        np.testing.assert_allclose(view[..., 0], rows[:, None] * np.ones(20), atol=1e-4)
        seen_mirrored.add(bool(columns[0] > columns[-1]))
        for axis in (rows, np.sort(columns)):
            # Half a pixel at either end may be cut off: nothing lies beyond the border to stretch to.
            assert 0.75 * 19 <= axis[-1] - axis[0] <= 19
            assert 0.8 * (1 - 1e-4) <= np.diff(axis[1:-1]).max() <= 1 + 1e-4
    assert seen_mirrored == {True, False}


def test_the_same_images_give_the_same_views():
    np.testing.assert_array_equal(augment(ramps(3), 5), augment(ramps(3), 5))


@pytest.mark.parametrize(("count", "views", "together"), [(10, 1, 10), (10, 3, 30), (30, 4, 50), (60, 4, 60)])
def test_memory_is_bounded(count, views, together, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 50)
    assert len(augment(ramps(count, 4), views)) == together


def test_a_view_is_worth_less_than_a_picture(net):
    node = net()["conv4"]
    assert independent(100, 100) == 100
    # A fixed share of the weights is held back less the more independent pictures there are.
    few, more, most = (Options().regularisation(node, count)[0] for count in (2, independent(2, 8), 8))
    assert few > more > most
