"""Views of a picture: the one that an application will see, its mirror image, and random crops."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data import prepare
from mobilenet_edge.data.dataset import Picture
from mobilenet_edge.data.preprocess import Preprocess

if TYPE_CHECKING:
    from PIL import Image

# Side of the smallest random crop, as a share of the shorter side of the picture.
SMALLEST: Final = 0.6


@dataclass(frozen=True)
class View:
    """A part of a picture.

    Attributes:
        side: Side of a square as a share of the picture's shorter side; None for what the rule of preprocessing takes.
        left: How far right the square lies, from 0 at the left edge to 1 at the right one.
        top: How far down it lies, from 0 to 1.
        mirrored: Whether left and right are exchanged.
    """

    side: float | None = None
    left: float = 0.5
    top: float = 0.5
    mirrored: bool = False

    def pixels(self, image: Image.Image, rule: Preprocess) -> NDArray[np.uint8]:
        """Cut the view out of an image and fit it to the rule's size; returns uint8 (height, width, channels)."""
        if self.side is not None:
            side = max(1, round(min(image.size) * self.side))
            left, top = round((image.width - side) * self.left), round((image.height - side) * self.top)
            image = image.crop((left, top, left + side, top + side))
            rule = replace(rule, fit="stretch")
        pixels = prepare.fit(image, rule)
        return pixels[:, ::-1] if self.mirrored else pixels


CENTRE: Final = View()


def of_training(picture: Picture, count: int, seed: int) -> Iterator[View]:
    """Yield the views a picture is learned from: the centre, its mirror image, and `count` random crops.

    They are drawn from the seed and the picture's digest, so that a picture has the same ones in any data set.
    """
    yield CENTRE
    yield View(mirrored=True)
    generator = random.Random(f"{seed} {picture.sha256}")  # noqa: S311 - nothing secret is drawn
    for _ in range(count):
        yield at_random(generator)


def at_random(generator: random.Random) -> View:
    """Draw a random crop."""
    return View(generator.uniform(SMALLEST, 1), generator.random(), generator.random(), generator.random() < 0.5)
