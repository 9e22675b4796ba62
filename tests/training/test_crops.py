"""Views of a picture."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge.data import prepare
from mobilenet_edge.data.dataset import Picture
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.training import crops
from mobilenet_edge.training.crops import CENTRE, View

RULE = Preprocess((32, 32))


@pytest.fixture
def image() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 90, 3))
    return Image.fromarray(pixels.astype(np.uint8))


@pytest.mark.parametrize("rule", [RULE, Preprocess((32, 32), "bgr", fit="pad"), Preprocess((32, 32), fit="stretch")])
def test_centre_is_what_the_application_sees(image, rule):
    assert np.array_equal(CENTRE.pixels(image, rule), prepare.fit(image, rule))
    assert np.array_equal(View(mirrored=True).pixels(image, rule), prepare.fit(image, rule)[:, ::-1])


def test_corner_of_a_picture(image):
    corner = View(0.64, left=1, top=0).pixels(image, RULE)
    assert np.array_equal(corner, np.asarray(image)[:32, -32:])


def test_random_views_lie_inside_and_follow_from_picture_and_seed(image):
    generator = random.Random(1)
    for _ in range(50):
        assert crops.at_random(generator).pixels(image, RULE).shape == (32, 32, 3)
    first, second = (Picture(Path(name), 0, name) for name in ("a", "b"))
    assert list(crops.of_training(first, 4, 0)) == list(crops.of_training(first, 4, 0))
    assert (
        len({*crops.of_training(first, 4, 0), *crops.of_training(first, 4, 1), *crops.of_training(second, 4, 0)}) == 14
    )
