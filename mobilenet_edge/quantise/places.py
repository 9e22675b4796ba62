"""Which pixels of a layer's output stand for all of them, and what its kernel sees there."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.graph import NO_PADDING, Array, Node
from mobilenet_edge.quantise import QuantParams

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True)
class Places:
    """A regular pattern over the output (h, w, c) of a node, the same in every image; a vector (c,) is one pixel.

    Attributes:
        shape: Height and width of the output.
        steps: Rows and columns from one place to the next.
    """

    shape: tuple[int, int]
    steps: tuple[int, int]

    @classmethod
    def choose(cls, node: Node, images: int, samples: int) -> Places:
        """Take as few pixels of each image as make at least `samples` of all images, all where there are fewer."""
        height, width = node.shape[:2] if len(node.shape) == 3 else (1, 1)
        wanted = min(-(-samples // images), height * width)
        places, steps = cls((height, width), (1, 1)), (1, 1)
        while places.count >= wanted:
            chosen = places
            steps = (steps[0] + 1, steps[1]) if steps[0] <= steps[1] else (steps[0], steps[1] + 1)
            places = cls((height, width), steps)
        return chosen

    @property
    def rows(self) -> NDArray[np.intp]:
        """Rows of the output."""
        return self._axis(0)

    @property
    def columns(self) -> NDArray[np.intp]:
        """Columns of the output."""
        return self._axis(1)

    @property
    def count(self) -> int:
        """Places of an image."""
        return len(self.rows) * len(self.columns)

    def take(self, values: Array) -> Array:
        """Return the pixels (c, n * places) of values (n, h, w, c) or (n, c)."""
        if values.ndim == 4:
            values = values[:, self.rows[0] :: self.steps[0], self.columns[0] :: self.steps[1]]
        return channels_major(values)

    def _axis(self, axis: int) -> NDArray[np.intp]:
        # Zeros around the border would count too much if each pattern began there.
        step = self.steps[axis]
        every = np.arange(0, self.shape[axis], step)
        return every[1:] if step > 1 else every


def windows(node: Node, integers: NDArray[np.int8], params: QuantParams, places: Places) -> Array:
    """Return what each tap of a layer's kernel sees at some places of its output.

    Args:
        node: A conv, depthwise or dense node.
        integers: Its input (n, h, w, c) or (n, c).
        params: Of the input.
        places: Of the output.

    Returns:
        float32 (taps, c, n * places), reals.
    """
    if integers.ndim == 2:
        return params.reals(channels_major(integers))[None]
    kh, kw = node.kernel.shape[:2]
    if node.padding != NO_PADDING:
        integers = np.pad(integers, ((0, 0), *node.padding, (0, 0)), constant_values=params.zero_point)
    rows, columns = (axis * node.stride for axis in (places.rows, places.columns))
    spans = [
        [slice(int(axis[0]) + tap, int(axis[-1]) + tap + 1, step * node.stride) for tap in range(size)]
        for axis, step, size in zip((rows, columns), places.steps, (kh, kw), strict=True)
    ]
    seen = np.empty((kh * kw, integers.shape[-1], len(integers), len(rows), len(columns)), np.float32)
    # One copy that moves the channels and makes floats, since two would take twice the time.
    for tap, (i, j) in zip(seen, product(*spans), strict=True):
        tap[:] = np.moveaxis(integers[:, i, j], -1, 0)
    seen -= np.float32(params.zero_point)
    seen *= np.float32(params.scale)
    return seen.reshape(*seen.shape[:2], -1)


def channels_major(values: NDArray[T]) -> NDArray[T]:
    """Return values (n, ..., c) as (c, n * ...), contiguous: what sums over samples run along."""
    return np.moveaxis(values, -1, 0).reshape(values.shape[-1], -1)
