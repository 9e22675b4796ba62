"""The pictures of the demonstration: the same from the same seed, and of every class."""

from __future__ import annotations

import random
import runpy
from pathlib import Path

import numpy as np
import pytest

script = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "draw_shapes.py"))
draw, SHAPES = script["draw"], script["SHAPES"]


@pytest.mark.parametrize("name", SHAPES)
def test_seed_draws_the_same_pixels(name):
    first, again, other = (np.asarray(draw(name, random.Random(seed))) for seed in (1, 1, 2))
    assert first.shape == (script["SIDE"], script["SIDE"], 3)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_classes_differ_in_their_shapes_alone():
    # The same seed gives the same background; with the shapes the pictures differ.
    pictures = [np.asarray(draw(name, random.Random(3))).astype(float) for name in SHAPES]
    for index, first in enumerate(pictures):
        for second in pictures[:index]:
            assert 0.002 < (np.abs(first - second).max(axis=-1) > 60).mean() < 0.3


def test_outlines_fill_the_same_circle():
    for name, outline in SHAPES.items():
        radii = [np.hypot(*point) for point in outline()]
        assert 0.9 <= max(radii) <= 1.2, name
