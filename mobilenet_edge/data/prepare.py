"""Turn a picture into a model's input: the one function of calibration, evaluation and the application.

Pillow does the scaling, since other libraries' filters differ by tenths of a point of accuracy. docs/evaluation.md says
what is done to a pixel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data import images
from mobilenet_edge.data.preprocess import Preprocess

if TYPE_CHECKING:
    from PIL import Image


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
        ValueError: As `images.upright_rgb` says.
    """
    return scale(fit(image, rule), rule)


def fit(image: Image.Image, rule: Preprocess) -> NDArray[np.uint8]:
    """Fit an image to a size, in the rule's order of colours, and leave its pixels as they are.

    Crop and scaling are one antialiased step: the whole image is scaled until its centre `crop` has the size asked for,
    and that is cut out, without rounding in between.

    Returns:
        (height, width, channels) uint8.

    Raises:
        MissingExtraError: Pillow is not installed.
        ValueError: As `images.upright_rgb` says.
    """
    image = images.upright_rgb(image)
    match rule.fit:
        case "crop":
            fitted = _resize(image, rule, rule.size, _centre(image, rule))
        case "stretch":
            fitted = _resize(image, rule, rule.size)
        case "pad":
            fitted = _pad(image, rule)
    pixels = np.asarray(fitted.convert("L"))[..., np.newaxis] if rule.colour == "grey" else np.asarray(fitted)
    return pixels[..., ::-1] if rule.colour == "bgr" else pixels


def scale(pixels: NDArray[np.uint8 | np.float32], rule: Preprocess) -> NDArray[np.float32]:
    """Scale pixels (..., channels), in the rule's order of colours, channel by channel."""
    scaled: NDArray[np.float32] = np.array(pixels, np.float32, order="C")
    # Row by row: numpy takes ten times as long where it goes over three channels at a time.
    width = math.prod(pixels.shape[-2:-1])
    rows = scaled.reshape(-1, width * pixels.shape[-1])
    rows *= np.tile(np.array(rule.scale, np.float32), width)
    rows += np.tile(np.array(rule.offset, np.float32), width)
    return scaled


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


def _centre(image: Image.Image, rule: Preprocess) -> tuple[float, float, float, float]:
    """Box of the centre `crop` of the largest rectangle of the input's shape."""
    (height, width), (columns, rows) = rule.size, image.size
    if columns * height <= rows * width:
        across = columns * rule.crop
        down = across * (height / width)
    else:
        down = rows * rule.crop
        across = down * (width / height)
    left, top = (columns - across) / 2, (rows - down) / 2
    return left, top, left + across, top + down


def _pad(image: Image.Image, rule: Preprocess) -> Image.Image:
    from PIL import Image

    (height, width), (columns, rows) = rule.size, image.size
    factor = min(width / columns, height / rows)
    across, down = max(1, round(columns * factor)), max(1, round(rows * factor))
    whole = Image.new("RGB", (width, height), rule.pad)
    whole.paste(_resize(image, rule, (down, across)), ((width - across) // 2, (height - down) // 2))
    return whole


def _resize(
    image: Image.Image, rule: Preprocess, size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> Image.Image:
    from PIL import Image

    height, width = size
    return image.resize((width, height), Image.Resampling[rule.filter.upper()], box=box)
