"""Which layer costs what: the error of an int8 network divided among its layers, and what makes a layer's error large.

One tensor of the float network is put on its grid at a time, or one layer's weights are exchanged for its integers, and
the change of the logits is measured. Errors add up as their squares while they are small, so shares of the sum are
shares of the loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from mobilenet_edge.graph import Array, Graph, Node
from mobilenet_edge.graph.run import compute, tensors
from mobilenet_edge.graph.threads import workers
from mobilenet_edge.quantise import HIGH, LOW, QuantisedGraph, QuantParams
from mobilenet_edge.records.export import LayerLoss

# Images that errors are measured on: a square of thousands of logits is steady after a few.
IMAGES: Final = 8
# A channel that varies by less on all images is dead.
_CONSTANT: Final = 1e-6


def attribute(original: Graph, made: QuantisedGraph, images: Array) -> tuple[LayerLoss, ...]:
    """Divide the error of an int8 network among its layers.

    Args:
        original: The folded graph before it was quantised, in which dead channels still are.
        made: Its integers.
        images: Preprocessed, float32 (n, h, w, c); the first `IMAGES` are used.

    Returns:
        The input, then every node in order; a closing softmax or sigmoid is left out.
    """
    images = images[:IMAGES]
    return tuple(_Attribution(made, images, _dead(original, images)).run())


class _Attribution:
    """Walks the float network once, and from each tensor on again with that tensor changed."""

    def __init__(self, made: QuantisedGraph, images: Array, dead: Mapping[str, int]) -> None:
        self.images, self.dead, self.least_logit = images, dead, made.least_logit
        self.made = made.logits()
        self.graph = self.made.graph
        *_, (_, logits) = tensors(self.graph, images)
        self.logits = self._visible(logits)
        self.power = float(np.square(_centred(self.logits)).mean()) or 1.0

    def run(self) -> list[LayerLoss]:
        alive = {self.graph.input: self.images}
        losses = [
            self._loss(self.graph.input, "input", self.images, None, self._rounded(alive, 0, self.graph.input), 0)
        ]
        for place, node in enumerate(self.graph.nodes, start=1):
            inputs = [alive[name] for name in node.inputs]
            alive = {name: value for name, value in alive.items() if self._read_from(place, name)}
            alive[node.name] = compute(node, inputs)
            weights = None if node.weight is None else self._changed(alive, place, node, inputs)
            rounded = self._rounded(alive, place, node.name)
            losses.append(self._loss(node.name, node.op, alive[node.name], weights, rounded, place))
        return losses

    def _rounded(self, alive: Mapping[str, Array], place: int, name: str) -> float:
        """Error of the logits where one tensor lies on its grid; `place` nodes have been computed."""
        return self._error({**alive, name: self.made.grids[name].round(alive[name])}, place)

    def _changed(self, alive: Mapping[str, Array], place: int, node: Node, inputs: list[Array]) -> float:
        """Error of the logits where one layer has its integer weights."""
        integer = self.made.weights[node.name].dequantised(node, self.made.grids[node.inputs[0]])
        return self._error({**alive, node.name: compute(integer, inputs)}, place)

    def _error(self, alive: dict[str, Array], place: int) -> float:
        with workers() as pool:
            parts = [{name: value[i : i + 1] for name, value in alive.items()} for i in range(len(self.images))]
            logits = np.concatenate(list(pool.map(lambda part: self._finish(part, place), parts)))
        return float(np.square(_centred(self._visible(logits) - self.logits)).mean()) / self.power

    def _visible(self, logits: Array) -> Array:
        """What a closing softmax sees: the grid cuts off what is below."""
        return np.maximum(logits, np.float32(self.least_logit))

    def _finish(self, alive: dict[str, Array], place: int) -> Array:
        for index, node in enumerate(self.graph.nodes[place:], start=place + 1):
            alive[node.name] = compute(node, [alive[name] for name in node.inputs])
            for name in set(node.inputs):
                if not self._read_from(index, name):
                    del alive[name]
        return alive[self.graph.output.name]

    def _read_from(self, place: int, name: str) -> bool:
        return any(name in node.inputs for node in self.graph.nodes[place:])

    def _loss(
        self, name: str, op: str, values: Array, weights: float | None, activations: float, place: int
    ) -> LayerLoss:
        grid = self.made.grids[name]
        done = sum(node.macs for node in self.graph.nodes[:place])
        values = self._visible(values) if name == self.graph.output.name else values
        low, high = np.quantile(values, (0.0005, 0.9995))
        return LayerLoss(
            name,
            op,
            weights,
            activations,
            grid.low,
            grid.high,
            grid.scale,
            _outside(values, grid),
            float((high - low) / ((HIGH - LOW) * grid.scale)),
            done / self.graph.macs,
            self.dead.get(name, 0),
            values.shape[-1],
        )


def _outside(values: Array, grid: QuantParams) -> float:
    # The grid of an input may end a step before its pixels do, see `entry`.
    return float(np.mean((values < grid.low - grid.scale) | (values > grid.high + grid.scale)))


def _centred(logits: Array) -> Array:
    """What a softmax sees: the differences between classes."""
    return logits - logits.mean(axis=-1, keepdims=True) if logits.ndim == 2 and logits.shape[1] > 1 else logits


def _dead(graph: Graph, images: Array) -> dict[str, int]:
    found = {}
    for name, values in tensors(graph, images):
        pixels = values.reshape(-1, values.shape[-1])
        found[name] = int((np.ptp(pixels, axis=0) <= _CONSTANT).sum())
    return found
