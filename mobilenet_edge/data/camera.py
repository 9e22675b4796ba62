"""Frames of a camera, through OpenCV where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from mobilenet_edge.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from PIL import Image


def frames(source: str) -> Iterator[Image.Image]:
    """Read frames until the source ends, which a camera never does.

    Args:
        source: Number of a camera, or the path of a device or a video file.

    Yields:
        Each frame as RGB.

    Raises:
        InputError: There is no such camera, or it gives no frame.
        MissingExtraError: OpenCV or Pillow is not installed.
    """
    try:
        import cv2
    except ImportError as error:
        raise MissingExtraError("reading a camera needs OpenCV", "camera") from error
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError("reading images needs Pillow", "images") from error
    capture = cv2.VideoCapture(int(source) if source.isdecimal() else source)
    try:
        ready, frame = capture.read()
        if not ready:
            raise InputError(f"camera {source} gives no picture; check its number and that no other program uses it")
        while ready:
            # OpenCV's order is blue, green, red.
            yield Image.fromarray(np.ascontiguousarray(frame[..., ::-1]))
            ready, frame = capture.read()
    finally:
        capture.release()
