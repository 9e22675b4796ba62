"""Run the float graph over the calibration images and keep what the quantiser needs of each tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mobilenet_edge.graph import Array, Graph
from mobilenet_edge.graph.run import activate, linear
from mobilenet_edge.graph.threads import workers


@dataclass(frozen=True, eq=False)
class Observation:
    """A tensor before its activation.

    Attributes:
        low: Least value.
        high: Greatest value.
        rows: Every n-th pixel (rows, c), or none where none were asked for.
    """

    low: float
    high: float
    rows: Array

    @classmethod
    def of(cls, values: Array, step: int) -> Observation:
        """Take every `step`-th pixel of values (n, ..., c); none with a step of 0."""
        pixels = values.reshape(-1, values.shape[-1])
        return cls(float(values.min()), float(values.max()), pixels[::step].copy() if step else pixels[:0].copy())

    @classmethod
    def join(cls, parts: Sequence[Observation]) -> Observation:
        """Join the observations of several batches."""
        low, high = min(part.low for part in parts), max(part.high for part in parts)
        # Python's own comparisons would lose a NaN that does not come first.
        finite = np.isfinite([(part.low, part.high) for part in parts]).all()
        rows = np.concatenate([part.rows for part in parts])
        return cls(low, high, rows) if finite else cls(np.nan, np.nan, rows)


def observe(graph: Graph, batches: Sequence[Array], steps: Mapping[str, int]) -> dict[str, Observation]:
    """Observe every tensor but the input.

    Args:
        graph: The folded graph.
        batches: Images, float32 (n, h, w, c) each.
        steps: By name of the tensor, every how many pixels of a batch to keep one.

    Returns:
        By name of the tensor. Memory does not grow with the images beyond the pixels that are kept.
    """

    # Set in the thread that computes; the solver finds what is not finite, and names the layer.
    @np.errstate(over="ignore", invalid="ignore")
    def run(images: Array) -> dict[str, Observation]:
        last = {name: node.name for node in graph.nodes for name in node.inputs}
        alive, seen = {graph.input: images}, {}
        for node in graph.nodes:
            value = linear(node, [alive[name] for name in node.inputs])
            seen[node.name] = Observation.of(value, steps.get(node.name, 0))
            alive[node.name] = activate(value, node.activation)
            for name in set(node.inputs):
                if last[name] == node.name:
                    del alive[name]
        return seen

    with workers() as pool:
        parts = list(pool.map(run, batches))
    return {node.name: Observation.join([part[node.name] for part in parts]) for node in graph.nodes}
