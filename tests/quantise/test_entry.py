from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.data import prepare
from mobilenet_edge.data.pixel_options import PixelOptions
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import BuildError
from mobilenet_edge.quantise import QuantParams
from mobilenet_edge.quantise.entry import grid, require_within
from mobilenet_edge.quantise.solve import INPUT_GRID


def rule(pixels: str) -> Preprocess:
    return PixelOptions(pixels=pixels).apply(Preprocess((8, 8)))


def values(pixels: str) -> np.ndarray:
    return prepare.scale(np.arange(256, dtype=np.uint8)[:, None].repeat(3, 1), rule(pixels))


def test_signed_pixels_keep_their_grid():
    assert grid(rule("-1..1")) == INPUT_GRID


@pytest.mark.parametrize("pixels", ["0..1", "0..255", "mean=128,std=128", "mean=0,std=64"])
def test_raw_pixels_are_the_grid(pixels):
    steps = grid(rule(pixels)).quantise(values(pixels))
    np.testing.assert_array_equal(steps[:, 0].astype(int), np.arange(256) - 128)


@pytest.mark.parametrize("pixels", ["-1..1", "mean=120.3,std=64", "mean=0.4,std=0.3"])
def test_pixels_stay_apart_where_zero_lies_between_two(pixels):
    entry = grid(rule(pixels))
    assert len(np.unique(entry.quantise(values(pixels)[:, 0]))) >= 255
    assert entry.quantise(np.zeros(1, np.float32))[0] == entry.zero_point


@pytest.mark.parametrize("pixels", ["imagenet", "caffe"])
def test_channels_that_differ_share_the_smallest_grid_that_holds_all(pixels):
    entry, (low, high) = grid(rule(pixels)), rule(pixels).range
    np.testing.assert_allclose(entry.round(values(pixels)), values(pixels), atol=entry.scale)
    assert entry.scale == pytest.approx((high - low) / 255, rel=1e-6)


def test_images_beyond_the_grid_are_refused():
    require_within(values("-1..1"), grid(rule("-1..1")))
    for outside in (values("0..255"), np.full(9, np.nan, np.float32)):
        with pytest.raises(BuildError, match=r"lies outside .*; state how they are scaled with --pixels"):
            require_within(outside, QuantParams(1 / 255, -128))
