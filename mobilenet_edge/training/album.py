"""Decoded pictures, kept in memory as far as they fit, and how a model answers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.data import images, prepare
from mobilenet_edge.data.dataset import Picture
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import InputError
from mobilenet_edge.training import crops

# Pictures that do not fit are decoded anew in each epoch.
_MEMORY_BYTES: Final = 1 << 29
_BATCH: Final = 64


@dataclass(frozen=True)
class Score:
    """How a model answers pictures: the mean cross-entropy, right answers, and how many could be read."""

    loss: float
    right: int
    n: int

    @classmethod
    def of(cls, loss: float, accuracy: float, n: int) -> Score:
        """Make a score of the share of right answers."""
        return cls(loss, round(accuracy * n), n)


class Album:
    """Pictures as a rule of preprocessing takes them."""

    def __init__(self, rule: Preprocess, memory: int = _MEMORY_BYTES) -> None:
        self.rule = rule
        self._images: dict[str, Any] = {}
        self._centres: dict[str, NDArray[np.uint8]] = {}
        self._left = memory

    def view(self, picture: Picture, view: crops.View) -> NDArray[np.uint8]:
        """Return a random crop of a picture, uint8 (height, width, channels)."""
        if picture.sha256 not in self._images:
            image = images.decode(picture.path)
            image.thumbnail(_widest(image.size, self.rule.size))
            if not self._reserve(3 * image.width * image.height):
                return view.pixels(image, self.rule)
            self._images[picture.sha256] = image
        return view.pixels(self._images[picture.sha256], self.rule)

    def centre(self, picture: Picture) -> NDArray[np.uint8]:
        """Return what an application would see of a picture, uint8 (height, width, channels)."""
        if picture.sha256 not in self._centres:
            pixels = prepare.fit(images.decode(picture.path), self.rule)
            if not self._reserve(pixels.nbytes):
                return pixels
            self._centres[picture.sha256] = pixels
        return self._centres[picture.sha256]

    def score(self, model: Any, pictures: Sequence[Picture]) -> Score:
        """Let a keras.Model of probabilities answer pictures; those that cannot be read are left out."""
        losses: list[float] = []
        right = 0
        for start in range(0, len(pictures), _BATCH):
            pixels, labels = self._readable(pictures[start : start + _BATCH])
            if labels:
                outputs = np.asarray(model.predict_on_batch(prepare.scale(np.stack(pixels), self.rule)))
                right += int((outputs.argmax(axis=1) == labels).sum())
                losses += (-np.log(outputs[range(len(labels)), labels] + 1e-12)).tolist()
        return Score(float(np.mean(losses)) if losses else float("nan"), right, len(losses))

    def _readable(self, pictures: Sequence[Picture]) -> tuple[list[NDArray[np.uint8]], list[int]]:
        pixels, labels = [], []
        for picture in pictures:
            try:
                pixels.append(self.centre(picture))
            except InputError:
                continue
            labels.append(picture.label)
        return pixels, labels

    def _reserve(self, size: int) -> bool:
        fits = size <= self._left
        self._left -= size if fits else 0
        return fits


def _widest(image: tuple[int, int], size: tuple[int, int]) -> tuple[float, float]:
    """Sides of the image at which the smallest random crop is as large as the input."""
    factor = max(size) / (min(image) * crops.SMALLEST)
    return max(1, image[0] * factor), max(1, image[1] * factor)
