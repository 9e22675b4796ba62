"""What computes the two passes of the quantiser: numpy, which is the reference, or a runtime."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.graph import Array, Graph, Node
from mobilenet_edge.graph.run import compute
from mobilenet_edge.quantise import QuantParams, Weights
from mobilenet_edge.quantise.observe import Observation, observe
from mobilenet_edge.quantise.places import Places
from mobilenet_edge.quantise.stats import ChannelStats, collect_ranges

# From the inputs of a node to its output, int8 (n, ...) each; called from several threads at once.
Layer = Callable[[list[NDArray[np.int8]]], NDArray[np.int8]]


class Engine(Protocol):
    """Runs the float graph once and the integer layers one by one; arrays are channels last as seen from outside."""

    def collect(self, graph: Graph, images: Array, names: Collection[str]) -> dict[str, ChannelStats]:
        """Run the float graph as far as needed and collect statistics of the named tensors (n, h, w, c)."""

    def observe(self, graph: Graph, images: Array, places: Mapping[str, Places]) -> dict[str, Observation]:
        """Run the float graph on images (n, h, w, c) and observe every tensor but the input."""

    def layer(
        self, node: Node, sources: Sequence[QuantParams], target: QuantParams, weights: Weights | None = None
    ) -> Layer:
        """Prepare a node between grids; one that has weights computes with its integers, `weights`."""


class NumpyEngine:
    """Computes in numpy."""

    def collect(self, graph: Graph, images: Array, names: Collection[str]) -> dict[str, ChannelStats]:
        """Collect statistics."""
        return collect_ranges(graph, images, names)

    def observe(self, graph: Graph, images: Array, places: Mapping[str, Places]) -> dict[str, Observation]:
        """Run the float graph."""
        return observe(graph, images, places)

    def layer(
        self, node: Node, sources: Sequence[QuantParams], target: QuantParams, weights: Weights | None = None
    ) -> Layer:
        """Prepare a node."""
        if weights is not None:
            node = weights.dequantised(node, sources[0])

        def run(inputs: list[NDArray[np.int8]]) -> NDArray[np.int8]:
            reals = [params.reals(values) for params, values in zip(sources, inputs, strict=True)]
            return target.quantise(compute(node, reals))

        return run


REFERENCE: Final[Engine] = NumpyEngine()
