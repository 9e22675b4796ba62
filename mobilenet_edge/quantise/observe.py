"""Run the float graph over the calibration images and keep what the quantiser needs of each tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mobilenet_edge.graph import Activation, Array, Graph
from mobilenet_edge.graph.run import TOGETHER, activate, linear
from mobilenet_edge.graph.threads import workers
from mobilenet_edge.quantise.places import Places


@dataclass(frozen=True, eq=False)
class Observation:
    """What is kept of a tensor.

    Attributes:
        low: Least value behind the activation.
        high: Greatest value behind it.
        pixels: In front of it, at some places of each image in order (samples, c); none where none were asked for.
    """

    low: float
    high: float
    pixels: Array

    @classmethod
    def of(cls, values: Array, activation: Activation, places: Places | None) -> Observation:
        """Take the pixels of values (n, ..., c) at some places, apply the activation in place and take the range."""
        pixels = np.empty((0, values.shape[-1]), np.float32) if places is None else places.take(values).copy()
        activate(values, activation)
        return cls(float(values.min()), float(values.max()), pixels)

    @classmethod
    def join(cls, parts: Sequence[Observation]) -> Observation:
        """Join the observations of several batches."""
        # Python's own comparisons would lose a NaN that does not come first.
        low, high = np.min([part.low for part in parts]), np.max([part.high for part in parts])
        return cls(float(low), float(high), np.concatenate([part.pixels for part in parts]))

    @property
    def finite(self) -> bool:
        """Whether no NaN and no infinity is known; a runtime's maximum of minus infinity is its lowest number."""
        known = (np.array([self.low, self.high]), self.pixels)
        return all(bool((np.abs(values) < np.finfo(np.float32).max).all()) for values in known)


def observe(graph: Graph, images: Array, places: Mapping[str, Places]) -> dict[str, Observation]:
    """Observe every tensor but the input.

    Args:
        graph: The folded graph.
        images: float32 (n, h, w, c).
        places: By name of the tensor, which pixels to keep.

    Returns:
        By name of the tensor. Memory does not grow with the images beyond the pixels that are kept.
    """

    # Set in the thread that computes; the solver finds what is not finite, and names the layer.
    @np.errstate(over="ignore", invalid="ignore")
    def run(part: Array) -> dict[str, Observation]:
        last = {name: node.name for node in graph.nodes for name in node.inputs}
        alive, seen = {graph.input: part}, {}
        for node in graph.nodes:
            alive[node.name] = linear(node, [alive[name] for name in node.inputs])
            seen[node.name] = Observation.of(alive[node.name], node.activation, places.get(node.name))
            for name in set(node.inputs):
                if last[name] == node.name:
                    del alive[name]
        return seen

    with workers() as pool:
        parts = list(pool.map(run, np.array_split(images, -(-len(images) // TOGETHER))))
    return {node.name: Observation.join([part[node.name] for part in parts]) for node in graph.nodes}
