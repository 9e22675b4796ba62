"""OpenCV's pictures, held to what its documentation says of them."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mobilenet_edge.device import opencv, picture

cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
BASE = {"size": (4, 4), "colour": "rgb", "fit": "stretch", "crop": 1.0, "filter": "bilinear", "pad": (1, 2, 3)}


def rule(**parts: Any) -> Any:
    return SimpleNamespace(**{**BASE, **parts})


def png(pixels: Any) -> io.BytesIO:
    out = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(out, "PNG")
    return io.BytesIO(out.getvalue())


def stripes() -> np.ndarray[Any, Any]:
    """Columns of 0, 255, 255, 0, again and again: a quarter of them is as good as grey."""
    columns = np.tile(np.array([0, 255, 255, 0], np.uint8), 4)
    return np.broadcast_to(columns[:, None], (16, 16, 3)).copy()


def test_a_filter_that_is_not_antialiased_sees_two_of_four_columns():
    # The centre of each of four columns lies between the second and the third, both white.
    assert (opencv.fit(opencv.decode(png(stripes())), rule()) == 255).all()
    # Pillow looks at all of them: half are black.
    made = picture.fit(picture.decode(png(stripes())), rule())
    assert made[1:3, 1:3].mean() == pytest.approx(127.5, abs=16)
    # So does INTER_AREA, which is the mean of the four.
    assert set(np.unique(opencv.fit(opencv.decode(png(stripes())), rule(filter="box")))) <= {127, 128}


def test_colours_are_in_the_order_of_the_rule():
    source = np.full((4, 4, 3), (10, 20, 30))
    made = {
        colour: opencv.fit(opencv.decode(png(source)), rule(colour=colour))[0, 0].tolist()
        for colour in ("rgb", "bgr", "grey")
    }
    # ITU-R 601: 0.299 * 10 + 0.587 * 20 + 0.114 * 30 = 18.15.
    assert made == {"rgb": [10, 20, 30], "bgr": [30, 20, 10], "grey": [18]}


def test_crop_and_pad_keep_the_shape():
    rows = np.zeros((8, 16, 3), np.uint8)
    rows[..., 0] = np.arange(16)
    cropped = opencv.fit(opencv.decode(png(rows)), rule(fit="crop", filter="nearest", size=(8, 8)))
    # The middle half of the columns, as they are.
    assert cropped[0, :, 0].tolist() == list(range(4, 12))
    padded = opencv.fit(opencv.decode(png(rows + 9)), rule(fit="pad", size=(8, 8)))
    assert padded[0, 0].tolist() == padded[-1, -1].tolist() == [1, 2, 3]
    assert (padded[2:6, :, 1] == 9).all()


def test_a_picture_of_few_pixels_keeps_one():
    assert opencv.fit(opencv.decode(png(np.full((1, 3, 3), 7))), rule(fit="crop", crop=0.1)).tolist()[0][0] == [7, 7, 7]


def test_what_is_no_picture_is_refused():
    with pytest.raises(ValueError, match="cannot read it"):
        opencv.decode(io.BytesIO(b"no picture"))


def test_it_says_how_it_resizes():
    assert opencv.title(rule()) == {
        "library": "OpenCV", "version": cv2.__version__, "resize": "INTER_LINEAR, not antialiased",
    }  # fmt: skip
    assert opencv.title(rule(filter="box"))["resize"] == "INTER_AREA"
