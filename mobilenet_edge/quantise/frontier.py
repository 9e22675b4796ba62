"""The integer activations of all calibration images, as far into the network as its layers have been solved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.graph import Array, Graph, Node
from mobilenet_edge.quantise import QuantParams, Weights
from mobilenet_edge.quantise.engine import Engine, Layer

BUDGET: Final = 512 << 20


class Frontier:
    """Holds the live tensors of each batch, in memory that the number of images does not change.

    Where the tensors of all batches would not fit `BUDGET` bytes, those of the last place where they did are kept, and
    each batch is computed again from there: early tensors are large and few layers deep, late ones are small.
    """

    def __init__(self, graph: Graph, batches: Sequence[Array], entry: QuantParams, engine: Engine) -> None:
        self._engine = engine
        self._graph = graph
        self._batches = batches
        self._params = {graph.input: entry}
        self._last = {name: node.name for node in graph.nodes for name in node.inputs}
        self._stored: list[dict[str, NDArray[np.int8]]] = [{} for _ in batches]
        self._pending: list[tuple[Node, Layer]] = []
        self._live = {graph.input}

    @property
    def counts(self) -> list[int]:
        """Images of each batch."""
        return [len(batch) for batch in self._batches]

    def inputs(self, node: Node, batch: int) -> list[NDArray[np.int8]]:
        """Compute the inputs of the next node (n, ...); `settle` has to follow when all batches have come so far."""
        live = self._advanced(batch)
        if self.fits:
            self._stored[batch] = live
        return [live[name] for name in node.inputs]

    def push(self, node: Node, params: QuantParams, weights: Weights | None = None) -> None:
        """Go on by a node, with the integers of one that has weights."""
        self._params[node.name] = params
        layer = self._engine.layer(node, [self._params[name] for name in node.inputs], params, weights)
        self._pending.append((node, layer))
        self._live = {name for name in (*self._live, node.name) if not self._read_up(name, node)}

    @property
    def fits(self) -> bool:
        """Whether the live tensors of all batches are within the budget."""
        return sum(self.counts) * sum(math.prod(self._graph.shape(name)) for name in self._live) <= BUDGET

    def settle(self) -> None:
        """Drop the nodes that every batch has passed, if its tensors behind them are stored."""
        if self.fits:
            self._pending.clear()

    def _advanced(self, batch: int) -> dict[str, NDArray[np.int8]]:
        live = dict(self._stored[batch])
        if not live:
            name = self._graph.input
            live[name] = self._params[name].quantise(self._batches[batch])
        for node, layer in self._pending:
            live[node.name] = layer([live[name] for name in node.inputs])
            live = {name: value for name, value in live.items() if not self._read_up(name, node)}
        return live

    def _read_up(self, name: str, node: Node) -> bool:
        return self._last.get(name) == node.name
