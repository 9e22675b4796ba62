from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.errors import InputError
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.formats.metadata import Preprocess, Quantisation

SIDE = 4
RULE = Preprocess(resolution=SIDE)


def image(value: float = 0.0) -> np.ndarray:
    return np.full((SIDE, SIDE, 3), value, np.float32)


def taken(dtype: str, scale: float | None = None, zero_point: float | None = None) -> ImageInput:
    return ImageInput("m", (1, SIDE, SIDE, 3), dtype, scale, zero_point)


def test_channels_last_passes_the_image_through():
    values = np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)
    filled = taken("float32").fill(values)
    assert (filled.shape, filled.dtype) == ((1, SIDE, SIDE, 3), np.float32)
    np.testing.assert_array_equal(filled[0], values)


def test_channels_first_moves_the_channels():
    values = np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)
    first = ImageInput("m", (1, 3, SIDE, SIDE), "float32")
    assert (first.channels_first, first.side) == (True, SIDE)
    filled = first.fill(values)
    assert filled.flags.c_contiguous
    np.testing.assert_array_equal(filled[0, 2], values[:, :, 2])


def test_float16_is_rounded_once():
    assert taken("float16").fill(image(1 / 3)).dtype == np.float16
    assert taken("float16").fill(image(1 / 3))[0, 0, 0, 0] == np.float16(1 / 3)


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "value", "expected"),
    [
        ("int8", 1 / 127.5, -1, -1.0, -128),  # -127.5 - 1 is a tie, and cut to the range either way
        ("int8", 1 / 127.5, -1, 1.0, 126),  # 127.5 - 1 = 126.5 is a tie: to even
        ("uint8", 1 / 128, 128, -1.0, 0),
        ("uint8", 1 / 128, 128, 1.0, 255),  # 256 would wrap around to 0
        ("uint8", 0.5, 10, 2.0, 14),
        ("int8", 0.5, 0, -99.0, -128),
    ],
)
def test_integers_are_rounded_and_cut_to_their_range(dtype, scale, zero_point, value, expected):
    filled = taken(dtype, scale, zero_point).fill(image(value))
    assert filled.dtype == dtype
    assert np.unique(filled).tolist() == [expected]


def test_grid_comes_from_the_metadata_where_the_runtime_has_none():
    assert taken("int8").needs_grid
    known = taken("int8").with_grid(Quantisation(0.5, 3))
    assert not known.needs_grid
    assert known.fill(image(1.0))[0, 0, 0, 0] == 5


@pytest.mark.parametrize(("dtype", "lowest"), [("uint8", 0), ("int8", -128)])
def test_raw_pixels_come_back_exactly(dtype, lowest):
    pixels = np.arange(256, dtype=np.float32)
    values = pixels * np.float32(RULE.scale) + np.float32(RULE.offset)
    raw = taken(dtype).with_pixels(RULE)
    for value, pixel in zip(values, pixels, strict=True):
        assert raw.fill(image(float(value)))[0, 0, 0, 0] == pixel + lowest


def test_float_input_needs_no_grid():
    assert not taken("float32").needs_grid


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 10), "not one RGB image"),
        ((1, 4, 4, 1), "not one RGB image"),
        ((8, 4, 4, 3), "not one RGB image"),
        ((1, 4, 6, 3), "images of 4 by 6"),
        ((1, 3, 4, 6), "images of 4 by 6"),
        ((1, -1, -1, 3), "images of -1 by -1"),
    ],
)
def test_what_is_no_square_image_is_refused(shape, message):
    with pytest.raises(InputError, match=message):
        ImageInput("m", shape, "float32")
