"""Bounds on what channels can ever hold, from the weights and the range of the input (interval arithmetic)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mobilenet_edge.graph import NO_PADDING, Array, Node
from mobilenet_edge.graph.run import activate
from mobilenet_edge.quantise import QuantParams


@dataclass(frozen=True, eq=False)
class Bounds:
    """Limits that no value of a tensor passes, whatever the image.

    Attributes:
        low: Of each channel (c,).
        high: Likewise.
    """

    low: Array
    high: Array


def bounds(nodes: Sequence[Node], source: str, entry: QuantParams) -> dict[str, Bounds]:
    """Bound the channels of the tensors of a chain of convolutions, after their activations.

    Args:
        nodes: Of a graph, in order; those that do not convolve a tensor that is bounded already are left out.
        source: Name of the input.
        entry: Of the input, whose ends are its range; a step more at either end covers what they cut off.
    """
    low, high = (np.float32(end + step) for end, step in ((entry.low, -entry.scale), (entry.high, entry.scale)))
    known = {source: Bounds(np.atleast_1d(low), np.atleast_1d(high))}
    for node in nodes:
        if node.op in ("conv", "depthwise") and node.inputs[0] in known:
            known[node.name] = _convolve(node, known[node.inputs[0]])
    del known[source]
    return known


def _convolve(node: Node, given: Bounds) -> Bounds:
    low, high = given.low, given.high
    if node.padding != NO_PADDING:
        low, high = np.minimum(low, 0), np.maximum(high, 0)
    if node.op == "conv":
        low, high = low[:, None], high[:, None]
    ends = (node.kernel * low, node.kernel * high)
    axes = tuple(range(node.kernel.ndim - 1))
    found = (end(*ends).sum(axis=axes) + node.offset for end in (np.minimum, np.maximum))
    return Bounds(*(activate(each, node.activation) for each in found))
