"""Put copies of sensitive channels into idle ones, so that they share their rounding error.

Two copies half a step apart have steps of half the size together, and cost nothing: the idle channel was computed
anyway. A channel is idle only if no image can make it matter (see `bounds`); one that is merely silent on the
calibration images keeps its weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from mobilenet_edge.graph import Array, Graph, Node
from mobilenet_edge.quantise import QuantParams
from mobilenet_edge.quantise.bounds import Bounds, bounds
from mobilenet_edge.quantise.stats import ChannelStats

STEP: Final = 6 / 255
# Standard deviations of a later output by which an idle channel can move it at most: 40 dB below the signal.
_NEGLIGIBLE: Final = 0.01
# No output's deviation counts as less.
_LEAST_DEVIATION: Final = 1e-2


def duplicate_channels(
    graph: Graph, blocks: Iterable[tuple[str, str, str]], stats: Mapping[str, ChannelStats], entry: QuantParams
) -> Graph:
    """Copy the most sensitive channels of some blocks into idle ones.

    Args:
        graph: The folded graph.
        blocks: Names of a convolution, the depthwise layer behind it and the 1x1 convolution behind that, each the
            only reader of the one before, ReLU6 between them.
        stats: Of the last layer of each block.
        entry: Of the input.
    """
    limits = bounds(graph.nodes, graph.input, entry)
    nodes = {node.name: node for node in graph.nodes}
    for names in blocks:
        if not limits.keys() >= set(names):
            continue
        first, middle, last = (nodes[name] for name in names)
        deviation = np.maximum(stats[last.name].deviation, _LEAST_DEVIATION)
        idle = _idle(limits[middle.name], last, deviation)
        groups = _groups(middle, last, idle, deviation)
        if groups:
            nodes |= _copy(first, middle, _fold_constant(last, idle, limits[middle.name]), groups)
    return graph.replace(nodes)


def _idle(limits: Bounds, last: Node, deviation: Array) -> np.ndarray:
    """Find the channels that move no output of `last` whatever the image."""
    effect = (limits.high - limits.low)[:, None] * np.abs(last.kernel[0, 0]) / deviation
    return np.asarray((effect <= _NEGLIGIBLE).all(axis=1))


def _groups(middle: Node, last: Node, idle: np.ndarray, deviation: Array) -> list[list[int]]:
    """Assign each idle channel to the live channel with the largest remaining error."""
    gain = (middle.kernel**2).sum(axis=(0, 1)) + 1
    error = np.where(idle, 0, gain * ((last.kernel[0, 0] / deviation) ** 2).sum(axis=1))
    groups = {int(channel): [int(channel)] for channel in np.flatnonzero(error)}
    for channel in np.flatnonzero(idle) if groups else ():
        worst = max(groups, key=lambda live: error[live] / len(groups[live]) ** 2)
        groups[worst].append(int(channel))
    return [group for group in groups.values() if len(group) > 1]


def _fold_constant(last: Node, idle: np.ndarray, limits: Bounds) -> Node:
    """Move what idle channels give, a constant or nearly so, into the bias of the convolution that reads them."""
    kernel = last.kernel.copy()
    constant = np.where(idle, (limits.low + limits.high) / 2, 0)
    bias = last.offset + constant @ kernel[0, 0]
    kernel[0, 0][idle] = 0
    return replace(last, weight=kernel, bias=np.asarray(bias, np.float32))


def _copy(first: Node, middle: Node, last: Node, groups: list[list[int]]) -> dict[str, Node]:
    """Write the first channel of each group into all of it, a part of a step apart, and divide its weights."""
    nodes = (first, middle, last)
    kernels = [node.kernel.copy() for node in nodes]
    biases = [node.offset.copy() for node in nodes]
    for group in groups:
        source, share = group[0], last.kernel[0, 0, group[0]] / len(group)
        for place, channel in enumerate(group):
            apart = place * STEP / len(group)
            kernels[0][..., channel] = first.kernel[..., source]
            biases[0][channel] = first.offset[source] + apart
            kernels[1][..., channel] = middle.kernel[..., source]
            biases[1][channel] = middle.offset[source] + apart - apart * middle.kernel[..., source].sum()
            kernels[2][0, 0, channel] = share
            biases[2] -= apart * share
    return {
        node.name: replace(node, weight=kernel, bias=bias)
        for node, kernel, bias in zip(nodes, kernels, biases, strict=True)
    }
