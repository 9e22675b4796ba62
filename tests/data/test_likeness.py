"""How many pictures of a set differ, on pictures made here."""

from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.data.likeness import distinct


def pictures(count: int, side: int = 48, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    coarse = random.integers(20, 236, (count, 6, 6, 3))
    return coarse.repeat(side // 6, 1).repeat(side // 6, 2).astype(np.uint8)


def disturbed(picture: np.ndarray, count: int) -> np.ndarray:
    """The picture as a camera that stands still sees it: flicker, noise, a cast."""
    random = np.random.default_rng(1)
    seen = picture * random.uniform(0.8, 1.2, (count, 1, 1, 1)) + random.normal(0, 5, (count, *picture.shape))
    return np.clip(seen + random.normal(0, 10, (count, 1, 1, 3)), 0, 255).astype(np.uint8)


def test_different_pictures_all_count():
    assert distinct(pictures(40), 255) == 40


def test_near_duplicates_count_once():
    first, other = pictures(2)
    assert distinct(np.concatenate([disturbed(first, 20), disturbed(other, 20)]), 255) == 2


def test_pictures_of_one_colour_show_nothing():
    colours = np.random.default_rng(0).integers(0, 256, (30, 1, 1, 3)) + np.zeros((30, 48, 48, 3))
    assert distinct(colours, 255) == 0
    assert distinct(np.concatenate([colours, pictures(3)]), 255) == 3


@pytest.mark.parametrize(("scale", "offset"), [(1 / 255, 0), (2 / 255, -1), (1 / 64, -2)])
def test_the_scale_of_pixels_makes_no_difference(scale, offset):
    mixed = np.concatenate([pictures(10), disturbed(pictures(1)[0], 10), np.full((3, 48, 48, 3), 9, np.uint8)])
    assert distinct((mixed * scale + offset).astype(np.float32), 255 * scale) == distinct(mixed, 255) == 10


@pytest.mark.parametrize("shape", [(3, 5), (33, 50), (200, 96)])
def test_sides_need_not_divide(shape):
    images = np.random.default_rng(0).integers(0, 256, (6, *shape, 1)).astype(np.uint8)
    assert distinct(np.concatenate([images, images]), 255) == 6
