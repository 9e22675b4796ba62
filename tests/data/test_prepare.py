from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge.data import prepare
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import UsageError


def raw(height: int, width: int, **parts) -> Preprocess:
    colours = 1 if parts.get("colour") == "grey" else 3
    return Preprocess((height, width), **{"scale": (1.0,) * colours, "offset": (0.0,) * colours, **parts})


def ramp(width: int, height: int) -> Image.Image:
    """Red counts columns, green counts rows."""
    values = np.zeros((height, width, 3), np.uint8)
    values[..., 0], values[..., 1] = np.arange(width), np.arange(height)[:, None]
    return Image.fromarray(values)


@pytest.mark.parametrize("size", [(300, 200), (200, 300), (256, 256), (333, 251)])
def test_square_default_is_the_centre_of_the_shorter_side_to_the_bit(size):
    image = Image.fromarray(np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8))
    side = 0.875 * min(size)
    left, top = ((length - side) / 2 for length in size)
    scaled = image.resize((96, 96), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))
    wanted = np.asarray(scaled, np.float32) * np.float32(1 / 127.5) + np.float32(-1)
    np.testing.assert_array_equal(prepare.prepare(image, Preprocess((96, 96))), wanted)


def test_crop_of_another_shape_is_the_largest_rectangle_of_it():
    # 64 x 128 of a picture of 200 x 200: its middle half, whole width.
    made = prepare.fit(ramp(200, 200), raw(64, 128, crop=1.0))
    assert made.shape == (64, 128, 3)
    assert made[0, :, 0].min() <= 2
    assert made[0, :, 0].max() >= 197
    assert made[0, 0, 1] == pytest.approx(50, abs=2)
    assert made[-1, 0, 1] == pytest.approx(149, abs=2)


def test_stretch_takes_the_whole_picture():
    made = prepare.fit(ramp(200, 100), raw(50, 50, fit="stretch"))
    assert (made[0, 0, 0], made[-1, -1, 1]) == (pytest.approx(2, abs=2), pytest.approx(98, abs=2))
    assert made[0, -1, 0] == pytest.approx(198, abs=2)


def test_pad_keeps_the_shape_within_bars_of_a_colour():
    made = prepare.fit(Image.new("RGB", (200, 100), (9, 9, 9)), raw(50, 50, fit="pad", pad=(1, 2, 3)))
    assert made[0, 0].tolist() == made[-1, -1].tolist() == [1, 2, 3]
    assert (made[13:37] == 9).all()


def test_grey_is_one_channel_and_bgr_turned_round():
    image = Image.new("RGB", (20, 20), (10, 20, 30))
    assert prepare.fit(image, raw(4, 6, colour="grey")).shape == (4, 6, 1)
    assert prepare.fit(image, raw(4, 4, colour="bgr"))[0, 0].tolist() == [30, 20, 10]


def test_each_channel_has_its_own_scale_and_offset():
    rule = raw(4, 4, scale=(1.0, 2.0, 0.5), offset=(0.0, -1.0, 3.0))
    assert prepare.prepare(Image.new("RGB", (9, 9), (10, 20, 30)), rule)[0, 0].tolist() == [10, 39, 18]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"filter": "sinc"}, "filter 'sinc' is not known; it is one of nearest"),
        ({"colour": "RGBA"}, "colour 'RGBA' is not known"),
        ({"crop": 0.0}, "crop 0 is not a share"),
        ({"crop": float("nan")}, "crop nan is not a share"),
        ({"size": (0, 8)}, "cannot be made"),
        ({"scale": (1.0,)}, "there are 1 scales"),
        ({"scale": (0.0, 1.0, 1.0)}, "cannot be scaled"),
    ],
)
def test_rule_that_cannot_be_is_refused(parts, message):
    with pytest.raises(UsageError, match=message):
        Preprocess(**parts)
