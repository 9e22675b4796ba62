"""Pictures to calibrate with where there are none: dead leaves, which have the statistics of photographs, and noise."""

from __future__ import annotations

from typing import Final

import numpy as np

from mobilenet_edge.graph import Array
from mobilenet_edge.quantise.moments import Wide

NOTE: Final = "synthetic calibration; accuracy unknown"
# Photographs reach further than dead leaves, the logits above all, which would be cut off: at 0.25/224 with Keras's
# weights, agreement was .864 without the margin and .930 with it. Choosing the 50 of 200 dead leaves that fit the batch
# norms best did not help (.853 against .865, without the margin); gradients (ZeroQ, arXiv:2001.00281) were not tried.
MARGIN: Final = 1.5
# Shapes on a picture, and the largest radius as a share of its sides.
_SHAPES: Final = 200
_LARGEST: Final = 0.6


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


def leaves(count: int, shape: tuple[int, int, int], seed: int = 0) -> Array:
    """Make pictures of shaded ellipses and boxes that cover each other: "dead leaves".

    With radii r as frequent as r**-3 they have the scale invariance and the edges of photographs (Lee, Mumford and
    Huang 2001; arXiv:2106.05963 trains networks on them). Brightness, contrast, colour and detail vary between them.

    Args:
        count: Number of images.
        shape: (height, width, channels).
        seed: The same seed gives the same images.

    Returns:
        float32 (count, height, width, channels) in [-1, 1].
    """
    generator = np.random.default_rng(seed)
    made = np.empty((count, *shape), np.float32)
    for picture in made:
        _paint(picture, generator)
    return np.clip(made, -1, 1, out=made)


def _paint(picture: Array, generator: np.random.Generator) -> None:
    channels = picture.shape[-1]
    contrast, colour, grain = generator.uniform((0.15, 0.02, 0), (0.8, 0.3, 0.08))
    smallest = 10 ** generator.uniform(-2, -0.7)
    ground = generator.normal(0, 0.35) + generator.normal(0, 0.1, channels)
    picture[:] = ground
    for _ in range(_SHAPES):
        radius = generator.uniform(_LARGEST**-2, smallest**-2) ** -0.5
        hue = ground + generator.normal(0, contrast) + generator.normal(0, colour, channels)
        _cover(picture, radius, hue, generator.normal(0, 0.3 * contrast, 2), generator)
    picture += generator.normal(0, grain, picture.shape).astype(np.float32)


def _cover(picture: Array, radius: float, hue: Wide, slope: Wide, generator: np.random.Generator) -> None:
    """Draw a shape; its radius is a share of the sides, and its colour changes by `slope` from centre to end."""
    centre = generator.uniform(-0.1, 1.1, 2)
    angle, aspect = generator.uniform((0, 0.2), (np.pi, 1))
    boxed = generator.random() < 0.4
    sides = np.array(picture.shape[:2])
    first, last = (np.clip((centre + sign * radius) * sides, 0, sides).astype(int) for sign in (-1, 1))
    window = picture[first[0] : last[0] + 1, first[1] : last[1] + 1]
    y, x = (
        ((np.arange(start, start + size) + 0.5) / side - middle) / radius
        for start, size, side, middle in zip(first, window.shape[:2], sides, centre, strict=True)
    )
    along = y[:, None] * np.cos(angle) + x * np.sin(angle)
    across = (x * np.cos(angle) - y[:, None] * np.sin(angle)) / aspect
    inside = np.maximum(abs(along), abs(across)) < 2**-0.5 if boxed else along**2 + across**2 < 1
    shade = slope[0] * along + slope[1] * across
    window[inside] = (hue + shade[..., None])[inside]
