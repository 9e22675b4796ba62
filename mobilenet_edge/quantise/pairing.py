"""Put channels side by side whose weights leave each other room in the 16-bit sums of x86, see `rounding`.

A pair of large weights of one sign makes an output's scale wider than its largest weight would, by up to twice. Which
channels are neighbours is free: whoever makes them can make them in another order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.graph import Array, Graph, Node

# Ops that treat each channel alike, or by weights of its own.
_CHANNELWISE: Final = (
    "depthwise", "mean", "max", "average_pool", "max_pool", "sigmoid", "hard_sigmoid", "hard_swish",
)  # fmt: skip
_LEAST: Final = 1e-30


def pair(graph: Graph) -> Graph:
    """Reorder the channels that a convolution or dense layer reads, wherever it is their only reader.

    Returns:
        A graph with the same outputs, whose tensors may have their channels in another order.
    """
    for node in [node for node in graph.weighted() if node.op in ("conv", "dense")]:
        makers = _makers(graph, node)
        if makers:
            order = _order(node.kernel)
            changed = [*(_reordered(maker, order) for maker in makers), _reading(graph[node.name], order)]
            graph = graph.replace({each.name: each for each in changed})
    return graph


def _makers(graph: Graph, node: Node) -> list[Node]:
    """Nodes from what a layer reads back to the layer that makes its channels; none where another node reads them."""
    found: list[Node] = []
    (name,) = node.inputs
    while name != graph.input and len(graph.readers(name)) == 1:
        found.append(graph[name])
        if found[-1].op in ("conv", "dense"):
            return found
        if found[-1].op not in _CHANNELWISE:
            break
        (name,) = found[-1].inputs
    return []


@np.errstate(over="ignore", invalid="ignore")  # the solver names the layer that is not finite
def _order(kernel: Array) -> NDArray[np.intp]:
    """Pair channels greedily, those that are hardest to place first.

    Args:
        kernel: (..., channels, out).

    Returns:
        The channels (channels,), neighbours in pairs.
    """
    magnitude = np.abs(kernel)
    # The fourth power: few pairs set a scale, the largest.
    share = np.square(magnitude / np.maximum(magnitude.max(axis=tuple(range(kernel.ndim - 1))), _LEAST)) ** 2
    one_sign = (np.where(signs, share, 0) for signs in (kernel > 0, kernel < 0))
    by_channel = [np.moveaxis(each, -2, 0).reshape(kernel.shape[-2], -1) for each in one_sign]
    cost = np.sum([each @ each.T for each in by_channel], axis=0)
    np.fill_diagonal(cost, 0)
    hardest = np.argsort(-cost.sum(axis=1), kind="stable")
    np.fill_diagonal(cost, np.inf)
    free = np.ones(len(cost), np.bool_)
    order: list[int] = []
    for channel in hardest:
        if free[channel]:
            free[channel] = False
            nearest = np.argmin(np.where(free, cost[channel], np.inf))
            # Where their number is odd, the last is alone.
            order += [int(channel), int(nearest)] if free.any() else [int(channel)]
            free[nearest] = False
    return np.array(order)


def _reordered(maker: Node, order: NDArray[np.intp]) -> Node:
    if maker.weight is None:
        return maker
    return replace(maker, weight=maker.kernel[..., order], bias=maker.offset[order])


def _reading(reader: Node, order: NDArray[np.intp]) -> Node:
    return replace(reader, weight=reader.kernel[..., order, :])
