"""Which of the paper's variants a folded graph is, whoever built and trained it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final

from mobilenet_edge.errors import UsageError
from mobilenet_edge.graph import Graph, Node, same_padding
from mobilenet_edge.model.layers import Layer, table
from mobilenet_edge.model.spec import BODY, ModelSpec

_OPS: Final = {"convolution": "conv", "depthwise": "depthwise", "pointwise": "conv", "classifier": "dense"}
_DIGITS: Final = (1, 2, 3, 4, 5)
_WIDEST: Final = BODY[-1][1]


def spec_of(graph: Graph) -> ModelSpec | None:
    """Find the MobileNet v1 that a graph is, by its structure and shapes; names and weights do not matter.

    A head of one dense layer on the pooled features counts as the classifier, with or without a softmax.

    Returns:
        None for any other model. alpha is the shortest decimal that gives the graph's widths.
    """
    weighted = list(graph.weighted())
    side = graph.input_shape[0]
    if len(weighted) < 2 or graph.input_shape != (side, side, 3) or not _is_chain(graph):
        return None
    for alpha in _alphas(weighted[-2].shape[-1]):
        try:
            spec = ModelSpec(alpha, side, graph.classes)
        except UsageError:
            continue
        layers = table(spec)
        if len(layers) == len(weighted) and all(map(_fits, weighted, layers)):
            return spec
    return None


def safe_name(name: str) -> str:
    """Make a model's name fit for a file name: letters, digits, dot, dash and underscore."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._-") or "model"


def _is_chain(graph: Graph) -> bool:
    """Whether each node reads the one before it, and what has no weights is the mean and a closing softmax."""
    names = [graph.input, *(node.name for node in graph.nodes)]
    plain = [node.op for node in graph.nodes[-3:] if node.weight is None]
    return (
        all(node.inputs == (before,) for node, before in zip(graph.nodes, names, strict=False))
        and plain in (["mean"], ["mean", "softmax"])
        and all(node.weight is not None for node in graph.nodes[:-3])
    )


def _alphas(width: int) -> Iterator[float]:
    """Yield the alphas that may have made the widest layer's width, fewest digits first."""
    for digits in _DIGITS:
        yield round(math.ceil(width / _WIDEST * 10**digits) / 10**digits, digits)


def _fits(node: Node, layer: Layer) -> bool:
    outputs = (layer.outputs,) if layer.kind == "classifier" else (layer.size, layer.size, layer.outputs)
    padding = same_padding(layer.size * layer.stride, layer.kernel, layer.stride)
    return (
        node.op == _OPS[layer.kind]
        and node.shape == outputs
        and node.kernel.size == layer.weights
        and node.stride == layer.stride
        and node.padding == (padding, padding)
        and node.activation == ("relu6" if layer.normalised else "linear")
    )
