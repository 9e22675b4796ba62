"""Images made of noise, for calibration without images: sizes and latencies are then real, accuracy means nothing."""

from __future__ import annotations

import numpy as np

from mobilenet_edge.graph import Array

NOTE = "synthetic calibration; accuracy meaningless"


def images(count: int, shape: tuple[int, int, int], seed: int = 0) -> Array:
    """Make smooth coloured noise over the whole range.

    Natural images have most of their energy in low frequencies; white noise would leave the ranges of deeper layers
    far too narrow.

    Args:
        count: Number of images.
        shape: (height, width, channels).
        seed: The same seed gives the same images.

    Returns:
        float32 (count, height, width, channels) in [-1, 1].
    """
    height, width, channels = shape
    generator = np.random.default_rng(seed)
    made = np.zeros((count, *shape), np.float32)
    for level in range(6):
        cells = 2**level
        coarse = generator.standard_normal((count, cells, cells, channels), dtype=np.float32) / cells**0.5
        rows, columns = (np.arange(side) * cells // side for side in (height, width))
        made += coarse[:, rows][:, :, columns]
    return np.clip(made, -1, 1, out=made)
