"""Views of a picture: the crop that the rule of preprocessing takes, its mirror image, and random crops."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data.dataset import Picture
from mobilenet_edge.data.preprocess import Preprocess

if TYPE_CHECKING:
    from PIL import Image

# Side of the smallest random crop, as a share of the shorter side of the picture.
SMALLEST: Final = 0.6


@dataclass(frozen=True)
class View:
    """A square part of a picture.

    Attributes:
        side: Its side as a share of the picture's shorter side.
        left: How far right it lies, from 0 at the left edge to 1 at the right one.
        top: How far down it lies, from 0 to 1.
        mirrored: Whether left and right are exchanged.
    """

    side: float
    left: float = 0.5
    top: float = 0.5
    mirrored: bool = False

    def pixels(self, image: Image.Image, size: tuple[int, int]) -> NDArray[np.uint8]:
        """Cut the view out of an RGB image and scale it to (height, width); returns uint8 (height, width, 3)."""
        from PIL import Image

        side = min(image.size) * self.side
        left, top = (image.width - side) * self.left, (image.height - side) * self.top
        box = (left, top, left + side, top + side)
        scaled = image.resize((size[1], size[0]), Image.Resampling.BILINEAR, box=box)
        pixels = np.asarray(scaled)
        return pixels[:, ::-1] if self.mirrored else pixels


def centre(rule: Preprocess) -> View:
    """The view that an application will have."""
    return View(rule.crop)


def of_training(rule: Preprocess, picture: Picture, count: int, seed: int) -> Iterator[View]:
    """Yield the views a picture is learned from: the centre, its mirror image, and `count` random crops.

    They are drawn from the seed and the picture's digest, so that a picture has the same ones in any data set.
    """
    middle = centre(rule)
    yield middle
    yield View(middle.side, mirrored=True)
    generator = random.Random(f"{seed} {picture.sha256}")  # noqa: S311 - nothing secret is drawn
    for _ in range(count):
        yield at_random(generator)


def at_random(generator: random.Random) -> View:
    """Draw a random crop."""
    return View(generator.uniform(SMALLEST, 1), generator.random(), generator.random(), generator.random() < 0.5)
