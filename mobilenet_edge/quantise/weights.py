"""Weights alone on int8 grids, for models whose activations stay float: no images, no errors to pass on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.errors import BuildError
from mobilenet_edge.graph import Array, Graph, Node

LIMIT: Final = 127
# An output of so few weights is not rounded: with a scale of its own it is hardly smaller than in float16, and rounding
# the depthwise filters alone makes about half of the error.
FEW: Final = 32
# Ends of the range that are tried, as shares of the largest weight of a channel.
_SHARES: Final = np.arange(0.7, 1.001, 0.02)
# A channel smaller than this is zero: its scale and what divides by it stay normal float32 numbers.
_TINY: Final = LIMIT * float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, eq=False)
class Rounded:
    """Integer weights of one node; real = integer * scale of its output channel.

    Attributes:
        integers: int8, in the shape of the node's weight; symmetric, -127 to 127.
        scales: float32 (out,).
    """

    integers: NDArray[np.int8]
    scales: Array

    def dequantised(self, node: Node) -> Node:
        """The node with the weight that the integers stand for."""
        return replace(node, weight=np.asarray(self.integers * self.scales, np.float32))


def nearest(graph: Graph, few: int | None = None) -> dict[str, Rounded]:
    """Round the weights of all nodes with more than `few` an output, `FEW` by default, to the nearest step.

    Returns:
        By name of the node.

    Raises:
        BuildError: A weight is NaN or infinite.
    """
    few = FEW if few is None else few
    return {node.name: _round(node) for node in graph.weighted() if node.kernel.size // node.kernel.shape[-1] > few}


def half(node: Node) -> NDArray[np.float16]:
    """Round a weight to float16.

    Raises:
        BuildError: It is not finite, or beyond what float16 holds.
    """
    largest = float(np.finfo(np.float16).max)
    # Said so that a NaN fails.
    if not (np.abs(node.kernel) <= largest).all():
        raise BuildError(
            f"layer {node.name!r} has weights that float16 cannot hold (NaN, or beyond {largest:.0f}); "
            "check the weights, or export with --precision float32"
        )
    return node.kernel.astype(np.float16)


def _round(node: Node) -> Rounded:
    weight = node.kernel.reshape(-1, node.kernel.shape[-1])
    if not np.isfinite(weight).all():
        raise BuildError(f"layer {node.name!r} has weights that are NaN or infinite; check the weights")
    scales = _scales(weight)
    return Rounded(_steps(node.kernel, scales).astype(np.int8), scales)


def _scales(weight: Array) -> Array:
    """The scale of each column with the least square error."""
    largest = np.abs(weight).max(axis=0)
    # A channel of zeros is zero on any grid.
    full = np.where(largest > _TINY, largest, LIMIT) / np.float32(LIMIT)
    candidates = [np.asarray(full * share, np.float32) for share in _SHARES]
    errors = [((_steps(weight, each) * each - weight) ** 2).sum(axis=0) for each in candidates]
    best = np.argmin(errors, axis=0)
    return np.asarray(np.stack(candidates)[best, np.arange(len(best))], np.float32)


def _steps(weight: Array, scales: Array) -> Array:
    return np.asarray(np.clip(np.rint(weight / scales), -LIMIT, LIMIT), np.float32)
