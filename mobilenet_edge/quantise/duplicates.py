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
from numpy.typing import NDArray

from mobilenet_edge.graph import Array, Graph, Node
from mobilenet_edge.quantise import QuantParams
from mobilenet_edge.quantise.bounds import Bounds, bounds
from mobilenet_edge.quantise.sensitivity import sensitivity
from mobilenet_edge.quantise.stats import ChannelStats

Flags = NDArray[np.bool_]
STEP: Final = 6 / 255
# Standard deviations of a later output by which an idle channel can move it at most: 40 dB below the signal.
_NEGLIGIBLE: Final = 0.01
# No output's deviation counts as less.
_LEAST_DEVIATION: Final = 1e-2


def duplicate_channels(
    graph: Graph,
    blocks: Iterable[tuple[str, str, str]],
    stats: Mapping[str, ChannelStats],
    images: Array,
    entry: QuantParams,
) -> Graph:
    """Copy the most sensitive channels of some blocks into idle ones.

    Args:
        graph: The folded graph.
        blocks: Names of a convolution, the depthwise layer behind it and the 1x1 convolution behind that, each the
            only reader of the one before, ReLU6 between them.
        stats: Of the last layer of each block.
        images: That show which channels are sensitive, a few (n, h, w, c).
        entry: Of the input.
    """
    limits = bounds(graph.nodes, graph.input, entry)
    nodes = {node.name: node for node in graph.nodes}
    idle = {
        names: _idle(limits[names[1]], nodes[names[2]], stats[names[2]].deviation)
        for names in blocks
        if limits.keys() >= set(names)
    }
    idle = {names: channels for names, channels in idle.items() if channels.any()}
    squares = sensitivity(graph, images, {name for first, middle, _ in idle for name in (first, middle)})
    for names, channels in idle.items():
        if not squares.keys() >= set(names[:2]):
            continue
        first, middle, last = (nodes[name] for name in names)
        groups = _groups(squares[first.name] + squares[middle.name], channels)
        if groups:
            nodes |= _copy(first, middle, _fold_constant(last, channels, limits[middle.name]), groups)
    return graph.replace(nodes)


def _idle(limits: Bounds, last: Node, deviation: Array) -> Flags:
    """Find the channels that move no output of `last` whatever the image."""
    effect = (limits.high - limits.low)[:, None] * np.abs(last.kernel[0, 0])
    return np.asarray((effect / np.maximum(deviation, _LEAST_DEVIATION) <= _NEGLIGIBLE).all(axis=1))


def _groups(error: Array, idle: Flags) -> list[list[int]]:
    """Assign each idle channel to the live channel with the largest remaining error."""
    groups = {int(channel): [int(channel)] for channel in np.flatnonzero(~idle & (error > 0))}
    for channel in np.flatnonzero(idle) if groups else ():
        worst = max(groups, key=lambda live: error[live] / len(groups[live]) ** 2)
        groups[worst].append(int(channel))
    return [group for group in groups.values() if len(group) > 1]


def _fold_constant(last: Node, idle: Flags, limits: Bounds) -> Node:
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
