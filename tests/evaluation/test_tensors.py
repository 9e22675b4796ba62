from __future__ import annotations

import numpy as np
import pytest

from mobilenet_edge.errors import InputError
from mobilenet_edge.evaluation.tensors import ImageInput
from mobilenet_edge.formats.metadata import Quantisation

SIDE = 4


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
    assert (first.channels_first, first.size, first.channels) == (True, (SIDE, SIDE), 3)
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
def test_raw_pixels_go_in_unchanged(dtype, lowest):
    raw = taken(dtype).with_grid(taken(dtype).raw)
    assert raw.limits() == (0, 255)
    for pixel in (0, 1, 127, 128, 255):
        assert raw.fill(image(pixel))[0, 0, 0, 0] == pixel + lowest


@pytest.mark.parametrize("shape", [(1, 4, 6, 1), (1, 1, 4, 6)])
def test_grey_images_of_any_shape_fit(shape):
    grey = ImageInput("m", shape, "float32")
    assert (grey.size, grey.channels, grey.channels_first) == ((4, 6), 1, shape[1] == 1)
    assert grey.fill(np.zeros((4, 6, 1), np.float32)).shape == shape


def test_float_input_needs_no_grid():
    assert not taken("float32").needs_grid


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 10), "not one RGB or grey image"),
        ((1, 4, 4, 2), "not one RGB or grey image"),
        ((8, 4, 4, 3), "not one RGB or grey image"),
        ((1, -1, -1, 3), "leaves the height or width of its images open"),
    ],
)
def test_what_is_no_image_is_refused(shape, message):
    with pytest.raises(InputError, match=message):
        ImageInput("m", shape, "float32")
