"""More views of the calibration pictures: mirror images and crops.

Deep layers have more weights than 100 pictures have independent places. Another view of a picture is worth less than
another picture, and costs nobody a picture.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from mobilenet_edge.graph import Array

# Pictures and views together: memory does not grow beyond what this many pictures would take, or those that are given.
LARGEST: Final = 400
# Of an independent picture.
WORTH: Final = 0.2
# Least share of each side that a crop keeps.
_CROP: Final = 0.8


def augment(images: Array, views: int) -> Array:
    """Append views of images: first the mirror image of each, then random crops, half of them mirrored.

    Args:
        images: float32 (n, h, w, c).
        views: Of each image, itself included; fewer where they would be more than `LARGEST` together.

    Returns:
        float32 (m, h, w, c), the images first; the same for the same images.
    """
    count = len(images)
    extra = min((views - 1) * count, LARGEST - count)
    if extra <= 0:
        return images
    generator = np.random.default_rng(0)
    appended = [images[index, :, ::-1] for index in range(min(extra, count))]
    appended += [_crop(images[index % count], generator) for index in range(extra - len(appended))]
    return np.concatenate([images, np.stack(appended)])


def independent(pictures: int, images: int) -> float:
    """Count how many independent pictures `images` are worth, of which `pictures` are no views of others."""
    return pictures + WORTH * (images - pictures)


def _crop(image: Array, generator: np.random.Generator) -> Array:
    for axis in (0, 1):
        share = generator.uniform(_CROP, 1)
        image = _stretch(image, axis, share, generator.uniform(0, 1 - share))
    return image[:, ::-1] if generator.random() < 0.5 else image


def _stretch(image: Array, axis: int, share: float, start: float) -> Array:
    """Stretch a share of an axis over the whole of it, bilinearly."""
    size = image.shape[axis]
    places = np.clip((start * size) + (np.arange(size) + 0.5) * share - 0.5, 0, size - 1)
    before = places.astype(int)
    after = np.minimum(before + 1, size - 1)
    weight = (places - before).astype(np.float32).reshape([-1 if each == axis else 1 for each in range(image.ndim)])
    return np.asarray(image.take(before, axis) * (1 - weight) + image.take(after, axis) * weight, np.float32)
