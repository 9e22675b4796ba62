"""What of a model takes time: counts of which latency is a sum, each with a weight of the machine's own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.model.layers import Layer, table
from mobilenet_edge.model.spec import ModelSpec

# How long each count takes against a multiply-accumulate of a pointwise layer. Rough, for any machine: measurements
# decide, and where they are silent this does. Depthwise layers use a value again only nine times; an activation is
# written and read; weights are read once, and slowly where they do not stay in the cache; the last is a start.
PRIOR: Final = {"pointwise": 1.0, "spatial": 3.0, "activations": 4.0, "weights": 0.25, "streamed": 1.0, "start": 1e6}
# Weights beyond so many bytes come from memory in each inference. Second-level caches have 0.5 MB (Cortex-A53) to 2 MB
# (recent x86), shared with the activations.
CACHE_BYTES: Final = 2_000_000
INTEGERS: Final = ("int8", "uint8", "dynamic")
# Output channels that a matrix product computes at a time.
LANES: Final = 8


def matrix(specs: Sequence[ModelSpec], precision: str) -> NDArray[np.float64]:
    """Count what each model does, shape (models, len(PRIOR)), each column times its prior."""
    # float16 files are computed in float32 by the runtimes that are supported.
    size = 1 if precision in INTEGERS else 4
    return np.array([_counts(each, size) for each in specs], np.float64) * list(PRIOR.values())


@cache
def _counts(spec: ModelSpec, size: int) -> tuple[int, ...]:
    layers = table(spec)
    weights = size * sum(each.weights for each in layers)
    return (
        sum(_padded(each) for each in layers if each.kind == "pointwise"),
        sum(each.macs for each in layers if each.kind in ("convolution", "depthwise")),
        sum(each.input_elements + each.activations for each in layers),
        weights,
        max(0, weights - CACHE_BYTES),
        1,
    )


def _padded(layer: Layer) -> int:
    """Multiply-accumulates with the output channels filled up to whole lanes."""
    return layer.size**2 * layer.inputs * -(-layer.outputs // LANES) * LANES
