"""Turn a picture into a model's input: the one function of calibration, evaluation and the application.

`device.picture` does it, on devices as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data import images
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.device.picture import fit, scale

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Pictures", "fit", "load", "load_folder", "prepare", "scale", "tensors"]


class Pictures(NamedTuple):
    """Fitted pictures: `pixels` (n, height, width, channels) uint8, their files, and the files left out."""

    pixels: NDArray[np.uint8]
    used: tuple[Path, ...]
    unreadable: tuple[Path, ...]


def prepare(image: Image.Image, rule: Preprocess) -> NDArray[np.float32]:
    """Turn an image into a model's input.

    Args:
        image: Any Pillow image; it is turned upright and converted to RGB first.
        rule: How.

    Returns:
        (height, width, channels) float32.

    Raises:
        MissingExtraError: Pillow is not installed.
        ValueError: As `picture.upright_rgb` says.
    """
    return scale(fit(image, rule), rule)


def load(paths: Sequence[Path], rule: Preprocess) -> Pictures:
    """Decode and fit images; those that cannot be read are left out.

    Raises:
        InputError: None can be read.
        MissingExtraError: Pillow is not installed.
    """
    fitted = [(path, None if image is None else fit(image, rule)) for path, image in images.decoded(paths)]
    return Pictures(
        np.stack([pixels for _, pixels in fitted if pixels is not None]),
        tuple(path for path, pixels in fitted if pixels is not None),
        tuple(path for path, pixels in fitted if pixels is None),
    )


def load_folder(folder: Path, rule: Preprocess, limit: int = 100) -> Pictures:
    """Load the images of a folder, at most `limit`, evenly spread over the sorted files.

    Raises:
        InputError: `folder` holds no images, or none that can be read.
        MissingExtraError: Pillow is not installed.
    """
    return load(images.spread(images.find(folder), limit), rule)


def tensors(paths: Sequence[Path], rule: Preprocess) -> Iterator[tuple[Path, NDArray[np.float32] | None]]:
    """Decode and prepare images one at a time; None stands for a file that cannot be read.

    Raises:
        InputError: None can be read.
        MissingExtraError: Pillow is not installed.
    """
    for path, image in images.decoded(paths):
        yield path, None if image is None else prepare(image, rule)
