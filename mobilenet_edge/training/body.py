"""The body of a MobileNet v1 as a folded graph, from its arrays alone: no Keras is started for it."""

from __future__ import annotations

import numpy as np

from mobilenet_edge.graph import Graph, Node, same_padding
from mobilenet_edge.model.layers import Layer, table
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.model.weights import Arrays

# Of Keras's BatchNormalization.
EPSILON = 1e-3


def body(spec: ModelSpec, arrays: Arrays) -> Graph:
    """Make the graph from the image to the pooled features.

    Args:
        spec: Width and resolution.
        arrays: As `model.weights.read` gives them.

    Returns:
        A graph of input (resolution, resolution, 3) in [-1, 1] that ends in a vector.
    """
    nodes, source, size = [], "image", spec.resolution
    for layer in table(spec)[:-1]:
        nodes.append(_node(layer, source, size, arrays))
        source, size = layer.name, layer.size
    nodes.append(Node("features", "mean", (source,), (nodes[-1].shape[-1],)))
    return Graph(f"{spec.name}-body", "image", (spec.resolution, spec.resolution, 3), tuple(nodes))


def _node(layer: Layer, source: str, size: int, arrays: Arrays) -> Node:
    """Fold batch norm in float64 and round once."""
    (kernel,) = arrays[layer.name]
    gamma, beta, mean, variance = (array.astype(np.float64) for array in arrays[f"{layer.name}_bn"])
    scale = gamma / np.sqrt(variance + EPSILON)
    depthwise = layer.kind == "depthwise"
    kernel = kernel[..., 0] if depthwise else kernel
    padding = same_padding(size, layer.kernel, layer.stride)
    return Node(
        layer.name,
        "depthwise" if depthwise else "conv",
        (source,),
        (layer.size, layer.size, layer.outputs),
        np.asarray(kernel * scale, np.float32),
        np.asarray(beta - mean * scale, np.float32),
        layer.stride,
        (padding, padding),
        "relu6",
    )
