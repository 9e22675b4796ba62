"""Use the steps of early tensors better, without changing what the float graph computes.

A tensor's 256 steps are shared by all its channels, but most channels use a part of the range. What rounding does to
the first few tensors is amplified by all layers behind them and makes most of the error of an int8 MobileNet, so each
channel of these tensors is scaled to the whole range, and where no padding follows shifted too ("cross-layer
equalisation" and "bias absorption" in sections 4.1 and 4.2 of arXiv:1906.04721, a little wider than the values seen).
Dead channels then take copies of those whose noise moves the logits most, see `duplicates` and `sensitivity`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from mobilenet_edge.graph import NO_PADDING, Array, Graph, Node
from mobilenet_edge.graph.run import TOGETHER
from mobilenet_edge.quantise import QuantParams
from mobilenet_edge.quantise.duplicates import duplicate_channels
from mobilenet_edge.quantise.engine import REFERENCE, Engine
from mobilenet_edge.quantise.stats import ChannelStats

CEILING: Final = 6.0
# Weighted nodes from the input on; behind them rounding errors matter ten times less.
EARLY: Final = 7
# Images that show which channels are sensitive.
_FEW: Final = 4
_LARGEST_SCALE: Final = 32.0
_MARGIN: Final = 0.02


# The solver names the layer that is not finite.
@np.errstate(over="ignore", invalid="ignore")
def prepare(
    graph: Graph, images: Array, entry: QuantParams, engine: Engine = REFERENCE, float_layers: int = 0
) -> Graph:
    """Equalise the channels of the early tensors, and duplicate some of them.

    Args:
        graph: The folded graph.
        images: Some of the calibration images (n, h, w, c); none leave the graph as it is.
        entry: Of the input.
        engine: What computes.
        float_layers: Number of weighted nodes whose tensors stay in float.
    """
    early = first_layers(graph, float_layers)
    names = {node.name for node, _ in _pairs(graph, early)}
    if not len(images) or not names:
        return graph
    equal = equalise(graph, engine.collect(graph, images, names))
    found = list(blocks(equal, early))
    if not found:
        return equal
    # A deviation is known after few images.
    stats = engine.collect(equal, images[:TOGETHER], {last for *_, last in found})
    return duplicate_channels(equal, found, stats, images[:: -(-len(images) // _FEW)], entry)


def first_layers(graph: Graph, float_layers: int = 0) -> list[str]:
    """Return the names of the first weighted nodes behind those that stay in float."""
    return [node.name for node in graph.weighted()][float_layers : float_layers + EARLY]


def equalise(graph: Graph, stats: Mapping[str, ChannelStats]) -> Graph:
    """Scale, and in front of a 1x1 convolution shift, each channel of the tensors in `stats` to fill 0 to 6."""
    nodes = {node.name: node for node in graph.nodes}
    for node, reader in _pairs(graph, stats):
        # A depthwise layer pads with zeros, which a shift would change.
        low, high = _range(stats[node.name], shift=reader.op == "conv")
        scale = np.clip(CEILING / np.maximum(high - low, 1e-3), 1, _LARGEST_SCALE)
        # Of a channel that is zero on these images nothing is known.
        silent = stats[node.name].silent
        scale, low = (np.where(silent, other, value).astype(np.float32) for value, other in ((scale, 1), (low, 0)))
        writer, target = nodes[node.name], nodes[reader.name]
        nodes[node.name] = replace(writer, weight=writer.kernel * scale, bias=(writer.offset - low) * scale)
        kernel = target.kernel
        shifted = kernel.reshape(-1, len(low)).sum(axis=0) * low if reader.op == "depthwise" else low @ kernel[0, 0]
        nodes[reader.name] = replace(
            target,
            weight=kernel / (scale if reader.op == "depthwise" else scale[:, None]),
            bias=np.asarray(target.offset + shifted, np.float32),
        )
    return graph.replace(nodes)


def _range(stats: ChannelStats, shift: bool) -> tuple[Array, Array]:
    """Widen the range of each channel: what lies outside on other images will be cut off."""
    low = stats.low if shift else np.zeros_like(stats.low)
    margin = _MARGIN * (stats.high - low)
    below, above = (np.maximum(margin, surprise) for surprise in stats.surprise)
    # Beyond 0 and 6 the activation cuts off in the float graph too, and must go on doing so, at the largest scale too.
    lowest = np.clip(low - below, 0, CEILING - CEILING / _LARGEST_SCALE)
    return lowest, np.minimum(stats.high + above, CEILING)


def blocks(graph: Graph, names: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Name each convolution, depthwise layer and 1x1 convolution in a row, each the only reader of the one before."""
    pairs = {node.name: reader for node, reader in _pairs(graph, names)}
    for first, middle in pairs.items():
        last = pairs.get(middle.name)
        if last is not None and (graph[first].op, middle.op, last.op) == ("conv", "depthwise", "conv"):
            yield first, middle.name, last.name


def _pairs(graph: Graph, names: Collection[str]) -> Iterator[tuple[Node, Node]]:
    """Named nodes with a ReLU6 whose one reader is a depthwise layer or a 1x1 convolution without padding."""
    for node in (node for node in graph.weighted() if node.name in names):
        readers = [other for other in graph.nodes if node.name in other.inputs]
        if node.activation != "relu6" or len(readers) != 1 or node is graph.output:
            continue
        (reader,) = readers
        plain = reader.op == "conv" and reader.kernel.shape[:2] == (1, 1) and reader.padding == NO_PADDING
        if plain or reader.op == "depthwise":
            yield node, reader
