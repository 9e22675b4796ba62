"""What the channels of a tensor hold on some images."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np

from mobilenet_edge.graph import Array, Graph
from mobilenet_edge.graph.run import TOGETHER, tensors
from mobilenet_edge.graph.threads import workers

_SILENT: Final = 1e-6


@dataclass(frozen=True, eq=False)
class ChannelStats:
    """Statistics of each channel.

    Attributes:
        lows: Least value on each image (n, c).
        highs: Greatest value (n, c).
        means: Mean value (n, c).
        squares: Mean square (n, c).
    """

    lows: Array
    highs: Array
    means: Array
    squares: Array

    @classmethod
    def of(cls, values: Array) -> ChannelStats:
        """Of the values (n, ..., c) of a tensor."""
        pixels = values.reshape(len(values), -1, values.shape[-1])
        squares = np.einsum("npc,npc->nc", pixels, pixels) / np.float32(pixels.shape[1])
        return cls(pixels.min(axis=1), pixels.max(axis=1), pixels.mean(axis=1), squares)

    @classmethod
    def join(cls, parts: Sequence[ChannelStats]) -> ChannelStats:
        """Of several batches."""
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))

    @property
    def deviation(self) -> Array:
        """Standard deviation (c,)."""
        return np.asarray(np.sqrt(np.maximum(self.squares.mean(axis=0) - self.means.mean(axis=0) ** 2, 0)))

    @property
    def low(self) -> Array:
        """Least value (c,)."""
        return np.asarray(self.lows.min(axis=0))

    @property
    def high(self) -> Array:
        """Greatest value (c,)."""
        return np.asarray(self.highs.max(axis=0))

    @property
    def surprise(self) -> tuple[Array, Array]:
        """How far below and above the range another image may well reach (c,) each.

        As far as the most extreme image went beyond the next: little where all images reach about the same value, and
        much where a channel fires on one of them.
        """
        if len(self.lows) == 1:
            span = self.high - self.low
            return span, span
        lows, highs = np.sort(self.lows, axis=0), np.sort(self.highs, axis=0)
        return lows[1] - lows[0], highs[-1] - highs[-2]

    @property
    def silent(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Channels that are zero on all these images."""
        return np.asarray(self.high <= _SILENT)


def front_of(graph: Graph, names: Collection[str]) -> Graph:
    """Cut off a graph behind the last of the named tensors."""
    last = max(index for index, node in enumerate(graph.nodes) if node.name in names)
    return replace(graph, nodes=graph.nodes[: last + 1])


def collect_ranges(graph: Graph, images: Array, names: Collection[str]) -> dict[str, ChannelStats]:
    """Collect statistics of the named tensors on images (n, h, w, c)."""
    front = front_of(graph, names)

    # Set in the thread that computes; the solver finds what is not finite, and names the layer.
    @np.errstate(over="ignore", invalid="ignore")
    def collect(part: Array) -> dict[str, ChannelStats]:
        return {name: ChannelStats.of(value) for name, value in tensors(front, part) if name in names}

    with workers() as pool:
        parts = list(pool.map(collect, np.array_split(images, -(-len(images) // TOGETHER))))
    return {name: ChannelStats.join([part[name] for part in parts]) for name in names}
