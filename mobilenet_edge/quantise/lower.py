"""Hard sigmoids and hard swishes as ops that every integer runtime has.

XNNPACK and onnxruntime have no integer kernels for them, and the Edge TPU has neither. A hard sigmoid is a layer that
multiplies by 1/6, adds 1/2 and is clipped to 0 and 1, all of which is exact on a grid of 1/255; a hard swish multiplies
by it. Where its slope is not 0, an error of half a step of the gate moves the product by 3/510 at most.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from mobilenet_edge.graph import WEIGHTED, Graph, Node, affine
from mobilenet_edge.quantise import HIGH, UNIT_GRID, QuantisedGraph, QuantParams, Weights

_SLOPE: Final = np.array(1 / 6, np.float32)
_HALF: Final = np.array(0.5, np.float32)


def fuse(graph: Graph) -> Graph:
    """Fold each hard sigmoid into the weighted layer that it alone reads, before the quantiser sees them.

    A layer's name is then the hard sigmoid's.
    """
    fused = {node.inputs[0]: node for node in graph.nodes if node.op == "hard_sigmoid" and _fits(graph, node)}
    nodes = [
        _clipped(node, fused[node.name].name) if node.name in fused else node
        for node in graph.nodes
        if fused.get(node.inputs[0]) is not node
    ]
    return replace(graph, nodes=tuple(nodes))


def lower(quantised: QuantisedGraph) -> QuantisedGraph:
    """Replace the hard sigmoids that are left and the hard swishes; their tensors keep names and grids."""
    grids, weights = dict(quantised.grids), dict(quantised.weights)
    nodes: list[Node] = []
    for node in quantised.graph.nodes:
        if node.op not in ("hard_sigmoid", "hard_swish"):
            nodes.append(node)
            continue
        gate = node.name if node.op == "hard_sigmoid" else f"{node.name}/gate"
        nodes.append(affine(gate, node.inputs[0], node.shape, _SLOPE, _HALF, "relu1"))
        grids[gate], weights[gate] = UNIT_GRID, _exact(nodes[-1], grids[node.inputs[0]])
        if node.op == "hard_swish":
            nodes.append(replace(node, op="multiply", inputs=(node.inputs[0], gate)))
    return QuantisedGraph(replace(quantised.graph, nodes=tuple(nodes)), grids, weights)


def _fits(graph: Graph, node: Node) -> bool:
    (source,) = node.inputs
    if source == graph.input or len(graph.readers(source)) > 1:
        return False
    maker = graph[source]
    return maker.op in WEIGHTED and maker.activation == "linear"


def _clipped(node: Node, name: str) -> Node:
    weight, bias = node.kernel * _SLOPE, node.offset * _SLOPE + _HALF
    return replace(node, name=name, weight=weight, bias=bias, activation="relu1")


def _exact(node: Node, source: QuantParams) -> Weights:
    """Return the integers of a node whose weights are all alike."""
    scale = np.float32(node.kernel.flat[0]) / np.float32(HIGH)
    step = np.float64(scale) * source.scale
    return Weights(
        np.full(node.kernel.shape, HIGH, np.int8),
        np.full(node.shape[-1], scale, np.float32),
        np.rint(node.offset / step).astype(np.int32),
    )
