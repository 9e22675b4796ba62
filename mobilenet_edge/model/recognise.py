"""Which of the paper's variants a folded graph is, whoever built and trained it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final, assert_never

from mobilenet_edge.errors import UsageError
from mobilenet_edge.graph import CLOSING, Graph, Node, Op, same_padding
from mobilenet_edge.model.layers import Layer, table
from mobilenet_edge.model.spec import BODY, FAMILIES, PUBLISHED, V2_BODY, Family, ModelSpec

_OPS: Final = {"convolution": "conv", "depthwise": "depthwise", "pointwise": "conv", "classifier": "dense"}
_DIGITS: Final = (1, 2, 3, 4, 5)


def spec_of(graph: Graph) -> ModelSpec | None:
    """Find the MobileNet that a graph is, by its structure and shapes; names and weights do not matter.

    A head of one dense layer on the pooled features counts as the classifier, with or without a softmax.

    Returns:
        None for any other model. alpha is the shortest decimal that gives the graph's widths.
    """
    side, _, channels = graph.input_shape
    if graph.input_shape[1] != side:
        return None
    for family in FAMILIES:
        for alpha in _alphas(graph, family):
            try:
                spec = ModelSpec(alpha, side, graph.classes, family, channels)
            except UsageError:
                continue
            if _matches(graph, table(spec)):
                return spec
    return None


def safe_name(name: str) -> str:
    """Make a model's name fit for a file name: letters, digits, dot, dash and underscore."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._-") or "model"


def _matches(graph: Graph, layers: tuple[Layer, ...]) -> bool:
    """Whether a graph is these layers one after another, with their sums, a mean and perhaps a closing op."""
    nodes, current = list(graph.nodes), graph.input
    read: list[str] = []
    for layer in layers:
        if layer.kind == "classifier":
            current = _next(nodes, "mean", {current})
        node = nodes.pop(0) if nodes else None
        if node is None or node.inputs != (current,) or not _fits(node, layer):
            return False
        read.append(current)
        current = node.name
        if layer.added:
            current = _next(nodes, "add", {current, read[-layer.added]})
    return not nodes or (len(nodes) == 1 and nodes[0].op in CLOSING and nodes[0].inputs == (current,))


def _next(nodes: list[Node], op: Op, inputs: set[str]) -> str:
    """Take the next node off and return its name; empty where it is another op or reads other tensors."""
    node = nodes.pop(0) if nodes else None
    fits = node is not None and node.op == op and set(node.inputs) == inputs and node.activation == "linear"
    return node.name if node is not None and fits else ""


def _alphas(graph: Graph, family: Family) -> Iterator[float]:
    """Yield the alphas that may have made the width of a wide layer, fewest digits first."""
    weighted = list(graph.weighted())
    if len(weighted) < len(V2_BODY):
        return
    match family:
        case "mobilenet_v1":
            # The layer before the classifier; its width is rounded down.
            for digits in _DIGITS:
                yield round(math.ceil(weighted[-2].shape[-1] / BODY[-1][1] * 10**digits) / 10**digits, digits)
        case "mobilenet_v2":
            # Widths are multiples of 8, so that many alphas give the same: published ones come first.
            low, high = ((weighted[-3].shape[-1] + step) / V2_BODY[-1][1] for step in (-8, 8))
            known = {alpha for alpha, _ in PUBLISHED[family]}
            near = [step / 100 for step in range(1, 201) if low <= step / 100 <= high]
            yield from sorted(near, key=lambda alpha: (alpha not in known, len(f"{alpha:g}")))
        case _:
            assert_never(family)


def _fits(node: Node, layer: Layer) -> bool:
    outputs = (layer.outputs,) if layer.kind == "classifier" else (layer.size, layer.size, layer.outputs)
    padding = same_padding(layer.size * layer.stride, layer.kernel, layer.stride)
    return (
        node.op == _OPS[layer.kind]
        and node.shape == outputs
        and node.kernel.size == layer.weights
        and node.stride == layer.stride
        and node.padding == (padding, padding)
        and node.activation == ("relu6" if layer.clipped else "linear")
    )
