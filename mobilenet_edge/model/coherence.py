"""Check whether the statistics of a model's batch norms can be those of one training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from mobilenet_edge.graph import NO_PADDING, Graph, bounds
from mobilenet_edge.model.norm import Moments, Wide

# Deviations by which the means that follow from the layer before may miss those of a batch norm, median over channels
# and layers. Trained models came to 0.00 to 0.04, statistics that were drawn at random to 0.9 and more.
_COHERENT: Final = 0.25


def coherent(graph: Graph, trained: Mapping[str, Moments]) -> bool:
    """Tell whether the batch norms fit each other, for which no picture is needed.

    A 1x1 convolution is linear, so the mean of its outputs follows from the means of its inputs. Those follow from the
    batch norm before it: what a normal distribution leaves of itself behind a ReLU (arXiv:1906.04721, appendix C).

    Args:
        graph: The folded graph.
        trained: Statistics of training by name of the node, before its activation.

    Returns:
        False also where no two batch norms can be compared.
    """
    errors = []
    for node in graph.weighted():
        source = trained.get(node.inputs[0])
        pointwise = node.op == "conv" and node.kernel.shape[:2] == (1, 1) and node.padding == NO_PADDING
        if source is None or node.name not in trained or not pointwise:
            continue
        own, low_high = trained[node.name], bounds(graph[node.inputs[0]].activation)
        mean = _clipped_mean(source, *low_high) @ node.kernel[0, 0].astype(np.float64) + node.offset
        if own.alive.any():
            errors.append(np.median(np.abs(mean - own.mean)[own.alive] / np.sqrt(own.variance[own.alive])))
    return bool(errors) and bool(np.median(errors) <= _COHERENT)


def _clipped_mean(moments: Moments, low: float, high: float) -> Wide:
    """Mean of normal distributions whose values outside of `low` and `high` are replaced by these."""
    deviation = np.sqrt(np.maximum(moments.variance, 1e-12))
    mean = moments.mean
    for end, sign in ((low, 1.0), (high, -1.0)):
        if math.isfinite(end):
            mean = mean + sign * _excess((end - moments.mean) * sign / deviation) * deviation
    return mean


def _excess(z: Wide) -> Wide:
    """Mean of what lies below z of a standard normal distribution, as a distance from z: z Φ(z) + φ(z)."""
    below = np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in z])
    return np.asarray(z * below + np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi))
