"""Count how many pictures of a set differ from each other."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

# Side of the thumbnails that are compared.
_SIDE: Final = 32
# Correlation of two thumbnails from which on they show the same: that of different photographs was 0.85 at most.
_SAME: Final = 0.9
# Standard deviation below which a picture shows nothing, as a share of the range of pixels: two of 255 levels.
_FLAT: Final = 2 / 255


def distinct(images: NDArray[Any], span: float) -> int:
    """Count the pictures that show something and are not near-duplicates of one before them.

    Two pictures whose thumbnails differ in brightness, colour cast and contrast alone are near-duplicates. Another crop
    of the same scene is not.

    Args:
        images: (n, height, width, channels) of any scale.
        span: Difference between the greatest and the least value that a pixel can have.
    """
    thumbnails = _thumbnails(images)
    patterns = (thumbnails - thumbnails.mean(axis=(1, 2), keepdims=True)).reshape(len(images), -1)
    patterns = patterns[patterns.std(axis=1) >= _FLAT * span]
    patterns /= np.linalg.norm(patterns, axis=1, keepdims=True)
    alike = np.tril(patterns @ patterns.T >= _SAME, -1)
    return int(len(patterns) - alike.any(axis=1).sum())


def _thumbnails(images: NDArray[Any]) -> NDArray[np.float32]:
    """Return means of blocks, of some of their pixels: (n, rows, columns, channels) with sides of `_SIDE` at most."""
    steps = [max(1, size // (3 * _SIDE)) for size in images.shape[1:3]]
    means: NDArray[np.float32] = images[:, :: steps[0], :: steps[1]].astype(np.float32)
    for axis in (1, 2):
        means = np.moveaxis(np.tensordot(_blocks(means.shape[axis]), means, (1, axis)), 0, axis)
    return means


def _blocks(size: int) -> NDArray[np.float32]:
    """Return the matrix (blocks, size) that averages what lies in each block."""
    count = min(_SIDE, size)
    block = np.arange(size) * count // size
    belongs = (block == np.arange(count)[:, None]).astype(np.float32)
    return np.asarray(belongs / belongs.sum(axis=1, keepdims=True), np.float32)
