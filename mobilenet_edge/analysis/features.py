"""Count the work in a model; latency is modelled as a weighted sum of these counts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.model.layers import Layer, table
from mobilenet_edge.model.spec import ModelSpec

# Rough cost of one count relative to a multiply-accumulate of a pointwise layer. Measurements override these values.
# Depthwise layers reuse a value only nine times; an activation is written and read; weights are read once, and slowly
# if they do not fit in the cache ("streamed"); "start" is the fixed cost of an inference.
PRIOR: Final = {"pointwise": 1.0, "spatial": 3.0, "activations": 4.0, "weights": 0.25, "streamed": 1.0, "start": 1e6}
# Weights beyond this size are read from memory in every inference. Second-level caches have 0.5 MB (Cortex-A53) to 2 MB
# (recent x86) and also hold the activations.
CACHE_BYTES: Final = 2_000_000
INTEGERS: Final = ("int8", "uint8", "dynamic", "mixed")
# Output channels that a matrix product computes at once.
LANES: Final = 8


def matrix(specs: Sequence[ModelSpec], precision: str) -> NDArray[np.float64]:
    """Return the counts of each model, multiplied by their priors.

    Args:
        specs: Models.
        precision: Precision of the files, which sets the bytes per weight.

    Returns:
        Shape (models, len(PRIOR)), float64.
    """
    # The supported runtimes compute float16 files in float32.
    size = 1 if precision in INTEGERS else 4
    return np.array([_counts(spec, size) for spec in specs], np.float64) * list(PRIOR.values())


@cache
def _counts(spec: ModelSpec, size: int) -> tuple[int, ...]:
    layers = table(spec)
    weights = size * sum(layer.weights for layer in layers)
    return (
        sum(_padded(layer) for layer in layers if layer.kind == "pointwise"),
        sum(layer.macs for layer in layers if layer.kind in ("convolution", "depthwise")),
        sum(layer.input_elements + layer.activations for layer in layers),
        weights,
        max(0, weights - CACHE_BYTES),
        1,
    )


def _padded(layer: Layer) -> int:
    """Count multiply-accumulates with the output channels rounded up to whole lanes."""
    return layer.size**2 * layer.inputs * -(-layer.outputs // LANES) * LANES
