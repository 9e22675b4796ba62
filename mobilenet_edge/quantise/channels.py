"""Use an activation grid better, without changing what the float graph computes on the images it was calibrated with.

A tensor's 256 steps are shared by all its channels, but most channels use a part of the range, and some are always zero
("dead"). What rounding does to the first few tensors is amplified by all layers behind them and makes most of the error
of an int8 MobileNet, so for these tensors:

- `widen` scales each channel to the whole range, and where no padding follows shifts it too ("cross-layer
  equalisation" and "bias absorption" in sections 4.1 and 4.2 of arXiv:1906.04721, a little wider than the values seen);
- `reuse` puts a second copy of the most sensitive channel into each dead one, half a step apart, so that the two
  together have steps of half the size. The copies cost nothing: the dead channel was computed anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from mobilenet_edge import cpus
from mobilenet_edge.graph import NO_PADDING, Array, Graph, Node
from mobilenet_edge.graph.run import TOGETHER, tensors

CEILING: Final = 6.0
STEPS: Final = 255
# Weighted nodes from the input on; behind them rounding errors matter ten times less.
EARLY: Final = 5
_DEAD: Final = 1e-6
_LARGEST_SCALE: Final = 32.0
_MARGIN: Final = 0.02


@dataclass(frozen=True, eq=False)
class Values:
    """What a tensor holds on some images.

    Attributes:
        low: Least value of each channel (c,).
        high: Greatest value (c,).
        deviation: Standard deviation of each channel (c,).
    """

    low: Array
    high: Array
    deviation: Array

    @classmethod
    def of(cls, found: Array) -> Values:
        """Of the values (n, c) of a tensor."""
        return cls(found.min(axis=0), found.max(axis=0), found.std(axis=0))

    @classmethod
    def join(cls, parts: Sequence[Values]) -> Values:
        """Of several batches; the deviation is their mean, which is near enough for a weight."""
        return cls(
            np.min([part.low for part in parts], axis=0),
            np.max([part.high for part in parts], axis=0),
            np.mean([part.deviation for part in parts], axis=0),
        )

    @property
    def dead(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Channels that are zero everywhere."""
        return np.asarray(self.high <= _DEAD)


@np.errstate(over="ignore", invalid="ignore")  # the solver finds what is not finite, and names the layer
def spread(graph: Graph, images: Array) -> Graph:
    """Widen and reuse the channels of the early tensors.

    Args:
        graph: The folded graph.
        images: Some of the calibration images (n, h, w, c); none leave the graph as it is.
    """
    if not len(images):
        return graph
    values = look(graph, images)
    wide = widen(graph, values)
    # Dead channels stay dead; only the scale of the others changed, which a few images show.
    scaled = look(wide, images[:TOGETHER])
    return reuse(wide, {name: replace(each, deviation=scaled[name].deviation) for name, each in values.items()})


def look(graph: Graph, images: Array) -> dict[str, Values]:
    """Collect the values of the early tensors."""
    wanted = {node.name for node in _early(graph)} | {reader.name for _, reader in _pairs(graph)}
    last = max(index for index, node in enumerate(graph.nodes) if node.name in wanted)
    early = replace(graph, nodes=graph.nodes[: last + 1])
    parts = np.array_split(images, -(-len(images) // TOGETHER))
    with ThreadPoolExecutor(len(cpus.available())) as pool:
        seen = list(pool.map(lambda part: _seen(early, part, wanted), parts))
    return {name: Values.join([each[name] for each in seen]) for name in wanted}


# Set in the thread that computes; what is not finite is found, and its layer named, when the layer is solved.
@np.errstate(over="ignore", invalid="ignore")
def _seen(graph: Graph, images: Array, wanted: set[str]) -> dict[str, Values]:
    found = ((name, value) for name, value in tensors(graph, images) if name in wanted)
    return {name: Values.of(value.reshape(-1, value.shape[-1])) for name, value in found}


def widen(graph: Graph, values: dict[str, Values]) -> Graph:
    """Scale, and in front of a 1x1 convolution shift, each channel to fill 0 to 6."""
    nodes = {node.name: node for node in graph.nodes}
    for node, reader in _pairs(graph):
        # A depthwise layer pads with zeros, which a shift would make something else.
        low, high = _range(values[node.name], shift=reader.op == "conv")
        scale = np.clip(CEILING / np.maximum(high - low, 1e-3), 1, _LARGEST_SCALE)
        scale, low = (
            np.where(values[node.name].dead, other, own).astype(np.float32) for own, other in ((scale, 1), (low, 0))
        )
        made, taken = nodes[node.name], nodes[reader.name]
        nodes[node.name] = replace(made, weight=made.kernel * scale, bias=(made.offset - low) * scale)
        kernel = taken.kernel
        shifted = kernel.reshape(-1, len(low)).sum(axis=0) * low if reader.op == "depthwise" else low @ kernel[0, 0]
        nodes[reader.name] = replace(
            taken,
            weight=kernel / (scale if reader.op == "depthwise" else scale[:, None]),
            bias=np.asarray(taken.offset + shifted, np.float32),
        )
    return graph.replace(nodes)


def reuse(graph: Graph, values: dict[str, Values]) -> Graph:
    """Copy sensitive channels into dead ones, from one convolution through the depthwise layer to the next."""
    nodes = {node.name: node for node in graph.nodes}
    pairs = {node.name: reader for node, reader in _pairs(graph)}
    for first, middle in list(pairs.items()):
        last = pairs.get(middle.name)
        if nodes[first].op != "conv" or middle.op != "depthwise" or last is None or last.op != "conv":
            continue
        idle = values[first].dead | values[middle.name].dead
        groups = _groups(nodes[middle.name], nodes[last.name], idle, values[last.name])
        if groups:
            silenced = _silence(nodes[middle.name], nodes[last.name], idle, values[middle.name].dead)
            nodes |= _copy(nodes[first], nodes[middle.name], silenced, groups)
    return graph.replace(nodes)


def _groups(middle: Node, last: Node, idle: np.ndarray, outputs: Values) -> list[list[int]]:
    """Give each idle channel to the one whose rounding errors weigh most, those it has copies of less and less."""
    gain = (middle.kernel**2).sum(axis=(0, 1)) + 1
    felt = ((last.kernel[0, 0] / np.maximum(outputs.deviation, 1e-2)) ** 2).sum(axis=1)
    weight = np.where(idle, 0, gain * felt)
    groups = {int(channel): [int(channel)] for channel in np.flatnonzero(weight)}
    for channel in np.flatnonzero(idle) if groups else ():
        most = max(groups, key=lambda each: weight[each] / len(groups[each]) ** 2)
        groups[most].append(int(channel))
    return [group for group in groups.values() if len(group) > 1]


def _silence(middle: Node, last: Node, idle: np.ndarray, dead: np.ndarray) -> Node:
    """Put what idle channels give, a constant, into the bias of the next convolution; `dead` ones give zero."""
    kernel = last.kernel.copy()
    constant = np.where(idle & ~dead, np.clip(middle.offset, 0, CEILING), 0)
    bias = last.offset + constant @ kernel[0, 0]
    kernel[0, 0][idle] = 0
    return replace(last, weight=kernel, bias=np.asarray(bias, np.float32))


def _copy(first: Node, middle: Node, last: Node, groups: list[list[int]]) -> dict[str, Node]:
    """Write each group's first channel into all of it, a part of a step apart, and share its weights out."""
    kernels = [node.kernel.copy() for node in (first, middle, last)]
    biases = [node.offset.copy() for node in (first, middle, last)]
    for group in groups:
        source, share = group[0], last.kernel[0, 0, group[0]] / len(group)
        for place, channel in enumerate(group):
            apart = place * CEILING / STEPS / len(group)
            kernels[0][..., channel] = first.kernel[..., source]
            biases[0][channel] = first.offset[source] + apart
            kernels[1][..., channel] = middle.kernel[..., source]
            biases[1][channel] = middle.offset[source] + apart - apart * middle.kernel[..., source].sum()
            kernels[2][0, 0, channel] = share
            biases[2] -= apart * share
    made = (first, middle, last)
    return {
        node.name: replace(node, weight=kernel, bias=bias)
        for node, kernel, bias in zip(made, kernels, biases, strict=True)
    }


def _range(values: Values, shift: bool) -> tuple[Array, Array]:
    """The range of each channel, wider by a margin: what lies outside on other images will be cut off."""
    low = values.low if shift else np.zeros_like(values.low)
    margin = _MARGIN * (values.high - low)
    # Beyond 0 and 6 the activation cuts off in the float graph too, and must go on doing so, at the largest scale too.
    lowest = np.clip(low - margin, 0, CEILING - CEILING / _LARGEST_SCALE)
    return lowest, np.minimum(values.high + margin, CEILING)


def _early(graph: Graph) -> list[Node]:
    return list(graph.weighted())[:EARLY]


def _pairs(graph: Graph) -> Iterator[tuple[Node, Node]]:
    """Early nodes with a ReLU6 whose one reader is a depthwise layer or a 1x1 convolution without padding."""
    for node in _early(graph):
        readers = [other for other in graph.nodes if node.name in other.inputs]
        if node.activation != "relu6" or len(readers) != 1 or node is graph.output:
            continue
        (reader,) = readers
        plain = reader.op == "conv" and reader.kernel.shape[:2] == (1, 1) and reader.padding == NO_PADDING
        if plain or reader.op == "depthwise":
            yield node, reader
