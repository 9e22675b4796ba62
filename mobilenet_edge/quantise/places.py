"""Which pixels of a layer's output stand for all of them, and what its kernel sees there."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.graph import NO_PADDING, Array, Node


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
        """Return the pixels (n * places, c) of values (n, h, w, c) or (n, c)."""
        if values.ndim == 4:
            values = values[:, self.rows[0] :: self.steps[0], self.columns[0] :: self.steps[1]]
        return values.reshape(-1, values.shape[-1])

    def _axis(self, axis: int) -> NDArray[np.intp]:
        # Zeros around the border would count too much if each pattern began there.
        step = self.steps[axis]
        every = np.arange(0, self.shape[axis], step)
        return every[1:] if step > 1 else every


def windows(node: Node, integers: NDArray[np.int8], zero_point: int, places: Places) -> Array:
    """Return what the kernel of a layer sees at some places of its output.

    Args:
        node: A conv, depthwise or dense node.
        integers: Its input (n, h, w, c) or (n, c).
        zero_point: What stands for zero in the padding.
        places: Of the output.

    Returns:
        float32 (batch, K, samples), the integers; a depthwise layer is a batch of its channels, others are a batch of
        one.
    """
    if integers.ndim == 2:
        return integers.astype(np.float32).T[None]
    kh, kw = node.kernel.shape[:2]
    if node.padding != NO_PADDING:
        integers = np.pad(integers, ((0, 0), *node.padding, (0, 0)), constant_values=zero_point)
    rows, columns = (axis * node.stride for axis in (places.rows, places.columns))
    spans = [
        [slice(int(axis[0]) + tap, int(axis[-1]) + tap + 1, step * node.stride) for tap in range(size)]
        for axis, step, size in zip((rows, columns), places.steps, (kh, kw), strict=True)
    ]
    taps, pixels = kh * kw, (len(integers), len(rows), len(columns))
    # Channels stay together, as they lie: moving them takes longer than the products do.
    axes = (taps, *pixels) if node.op == "depthwise" else (*pixels, taps)
    seen = np.empty((*axes, integers.shape[-1]), np.float32)
    by_tap = seen if node.op == "depthwise" else np.moveaxis(seen, -2, 0)
    for tap, (i, j) in zip(by_tap, product(*spans), strict=True):
        tap[:] = integers[:, i, j]
    if node.op == "depthwise":
        return seen.reshape(taps, -1, seen.shape[-1]).transpose(2, 0, 1)
    return seen.reshape(-1, taps * seen.shape[-1]).T[None]
