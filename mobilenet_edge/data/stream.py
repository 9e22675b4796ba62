"""Pictures one after another, of files, of stdin or of a camera, with the time it took to read each."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from mobilenet_edge.data import camera, images

if TYPE_CHECKING:
    from PIL import Image

STDIN: Final = Path("-")


class Picture(NamedTuple):
    """A decoded picture, its name in messages, and how long it took to read."""

    name: str
    image: Image.Image
    decode_ns: int


def of_files(paths: Iterable[Path]) -> Iterator[Picture]:
    """Read pictures, those of folders, and for "-" one from stdin.

    Raises:
        InputError: One cannot be read, or a folder has none.
        MissingExtraError: Pillow is not installed.
    """
    warm = False
    for path in (file for given in paths for file in (images.find(given) if given.is_dir() else [given])):
        data = sys.stdin.buffer.read() if path == STDIN else None
        if not warm:
            images.decode(path, data)  # Pillow imports its decoders at the first picture
            warm = True
        start = time.perf_counter_ns()
        image = images.decode(path, data)
        yield Picture(str(path), image, time.perf_counter_ns() - start)


def of_camera(source: str) -> Iterator[Picture]:
    """Read frames as `camera.frames` does; the time includes waiting for the camera."""
    frames = camera.frames(source)
    start, number = time.perf_counter_ns(), 1
    for image in frames:
        yield Picture(f"camera {source}, frame {number}", image, time.perf_counter_ns() - start)
        start, number = time.perf_counter_ns(), number + 1
