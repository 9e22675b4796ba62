"""What of a model takes time: numbers of which latency is a sum, each with a weight of the machine's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.layers import Layer, table
from mobilenet_edge.spec import ModelSpec

# A row of activations is multiplied with a whole vector of weights at a time: fewer channels take as long.
LANES: Final = 8
# How long each takes against a multiply-accumulate of a pointwise layer: depthwise ones find no values to use again,
# and a byte or a layer costs what it does even where nothing is multiplied. Rough, for any machine: the measurements
# decide, and where they are silent this does.
PRIOR: Final[dict[str, float]] = {
    "pointwise": 1.0,
    "spatial": 3.0,
    "activations": 4.0,
    "weights": 1.0,
    "model": 1e6,
}


def matrix(specs: Sequence[ModelSpec]) -> NDArray[np.float64]:
    """Count what each model does, shape (models, len(PRIOR)), each column times its prior."""
    return np.array([_row(each) for each in specs], np.float64).reshape(len(specs), -1) * list(PRIOR.values())


def _row(spec: ModelSpec) -> list[float]:
    layers = table(spec)
    return [
        sum(_padded(each) for each in layers if each.kind == "pointwise"),
        sum(each.macs for each in layers if each.kind in ("depthwise", "convolution")),
        sum(each.input_elements + each.activations for each in layers),
        sum(each.weights for each in layers),
        1,
    ]


def _padded(layer: Layer) -> int:
    return layer.size**2 * layer.inputs * -(-layer.outputs // LANES) * LANES
