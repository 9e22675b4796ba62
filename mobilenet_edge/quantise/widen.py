"""Append idle channels to the first block of a narrow network, for copies of the others.

The rounding of the first tensors makes most of the error of an int8 MobileNet, and `duplicates` divides it among copies
of a channel. At alpha 0.25 the first convolution has 8 channels, of which few are idle. Appending some and splitting
others into them is "outlier channel splitting" (arXiv:1901.09504), here against the rounding of activations.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mobilenet_edge.graph import Array, Graph, Node
from mobilenet_edge.quantise.channels import blocks, first_layers


def widen(graph: Graph, width: int) -> Graph:
    """Append channels of zeros to the convolution that reads the input and to the depthwise layer behind it.

    Args:
        graph: The folded graph.
        width: Channels that both have afterwards, if they have fewer, but at most twice as many as before.

    Returns:
        A graph with the same outputs; the same graph if its first layers are no such block or wide enough.
    """
    block = next(blocks(graph, first_layers(graph)), None)
    if block is None or graph[block[0]].inputs != (graph.input,):
        return graph
    first, middle, last = (graph[name] for name in block)
    extra = min(width - first.shape[-1], first.shape[-1])
    if extra <= 0:
        return graph
    widened = (*(_append_outputs(node, extra) for node in (first, middle)), _append_inputs(last, extra))
    return graph.replace({node.name: node for node in widened})


def _append_outputs(node: Node, extra: int) -> Node:
    shape = (*node.shape[:-1], node.shape[-1] + extra)
    return replace(node, weight=_pad(node.kernel, -1, extra), bias=_pad(node.offset, -1, extra), shape=shape)


def _append_inputs(node: Node, extra: int) -> Node:
    return replace(node, weight=_pad(node.kernel, -2, extra))


def _pad(values: Array, axis: int, extra: int) -> Array:
    widths = [(0, 0)] * values.ndim
    widths[axis] = (0, extra)
    return np.pad(values, widths)
