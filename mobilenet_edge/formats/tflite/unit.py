"""The unit in which an int8 TFLite file counts each inner tensor, chosen so that biases need no scales of their own.

TFLite asks a scale of every bias channel, input scale times weight scale ("TensorFlow Lite 8-bit quantization
specification"), and XNNPACK leaves a layer without them to kernels five times slower. Told plainly that is a second
vector of 4 bytes a channel, 2 % of a file. But nobody outside sees an inner tensor, so it may be counted in its own
steps: then its scale is 1 and the bias's vector is the weights' vector, true and stored once. The integers stay as they
are, and so does what a layer multiplies them by: input scale * weight scale / output scale.
"""

from __future__ import annotations

from typing import Final, assert_never

from mobilenet_edge.graph import Graph, Node
from mobilenet_edge.quantise import HIGH, QuantisedGraph, QuantParams

_CEILING = 6.0  # of ReLU6
# Their kernels compute with the scales as they stand.
_FUNCTIONS: Final = ("sigmoid", "hard_sigmoid", "hard_swish", "softmax")


def units(quantised: QuantisedGraph) -> dict[str, float]:
    """Return how much of the real world one unit of each tensor is, by name; 1.0 where the file keeps to reals."""
    graph, grids = quantised.graph, quantised.grids
    real = _real(quantised)
    weighed = {node.inputs[0] for node in graph.weighted()}
    chosen: dict[str, float] = {}
    for tied in _tied(graph):
        read = [name for name in tied if name in weighed and name not in real]
        unit = 1.0 if real & set(tied) or not read else grids[read[-1]].scale
        chosen |= dict.fromkeys(tied, unit)
    return chosen


def saturates(grid: QuantParams) -> bool:
    """Whether a grid ends where ReLU6 does, so that its own end does the clipping."""
    return (HIGH - grid.zero_point - 0.5) * grid.scale <= _CEILING


def _real(quantised: QuantisedGraph) -> set[str]:
    """Tensors whose unit is fixed: the ends, what a function reads and makes, and a ReLU6 whose 6 is in the grid."""
    graph = quantised.graph
    fixed = {graph.input, graph.output.name, graph.logits}
    for node in graph.nodes:
        if node.op in _FUNCTIONS:
            fixed |= {node.name, *node.inputs}
        elif node.op == "multiply":
            fixed.add(node.inputs[1])
        elif node.activation == "relu6" and not saturates(quantised.grids[node.name]):
            fixed.add(node.name)
    return fixed


def _tied(graph: Graph) -> list[tuple[str, ...]]:
    """Group the tensors that must share a unit, each group in order."""
    group = {graph.input: [graph.input]}
    for node in graph.nodes:
        mine = group[node.name] = [node.name]
        for name in _same_unit(node):
            if group[name] is not mine:
                mine[:0] = group[name]
                group |= dict.fromkeys(group[name], mine)
    return list(dict.fromkeys(map(tuple, group.values())))


def _same_unit(node: Node) -> tuple[str, ...]:
    """Return the inputs that have the unit of the output."""
    match node.op:
        case "conv" | "depthwise" | "dense":
            return ()  # the weights' scales convert
        case "add" | "concat" | "mean" | "max" | "average_pool" | "max_pool":
            return node.inputs
        case "multiply":
            return node.inputs[:1]  # by a second in reals
        case "sigmoid" | "hard_sigmoid" | "hard_swish" | "softmax":
            return ()
        case _:
            assert_never(node.op)
