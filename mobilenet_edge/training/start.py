"""A body without weights of its own: edges and colours, and layer by layer their averages over more of the picture.

Nothing is learned in it, but its features tell patterns apart, as those of a scattering transform do (arXiv:1203.1513).
Those of many layers of independent random weights hardly do.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.model.layers import Layer, table
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.model.weights import Arrays

# Share of independent random weights in each kernel.
NOISE: Final = 0.1
# Red against green, and blue against both.
_OPPONENTS: Final = np.array([[1, -1, 0], [-0.5, -0.5, 1]])
# Gamma, beta, mean and variance of a batch norm that changes nothing.
_NORM: Final = (1, 0, 0, 1)


def arrays(spec: ModelSpec, seed: int) -> Arrays:
    """Make the weights of a body.

    The first convolution takes edges in several directions and contrasts of colours, a depthwise layer the mean of its
    window, and a pointwise layer passes its input on, repeated or cut off as its width demands; random weights are
    mixed in.

    Returns:
        float32 arrays by layer name, as `model.weights.read` gives them, without the classifier.
    """
    generator = np.random.default_rng(seed)
    result: Arrays = {}
    for layer in table(spec)[:-1]:
        kernel = _first(layer, generator) if layer.kind == "convolution" else _mixed(layer, generator)
        result[layer.name] = [kernel.astype(np.float32)]
        if layer.norm:
            result[layer.norm] = [np.full(layer.outputs, value, np.float32) for value in _NORM]
    return result


def _first(layer: Layer, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return a kernel (side, side, 3, outputs): slopes in evenly spread directions, a quarter of it colours."""
    colours = layer.outputs // 4
    angles = 2 * np.pi * np.arange(colours) / max(1, colours)
    hues = np.outer(_OPPONENTS[0], np.cos(angles)) + np.outer(_OPPONENTS[1], np.sin(angles))
    means = np.broadcast_to(hues / layer.kernel**2, (layer.kernel, layer.kernel, *hues.shape))
    return np.concatenate([_edges(layer, layer.outputs - colours, generator), means], axis=-1)


def _edges(layer: Layer, count: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return slopes (side, side, 3, count), with random weights of the colours."""
    steps = np.arange(layer.kernel) - (layer.kernel - 1) / 2
    down, right = np.meshgrid(steps, steps, indexing="ij")
    angles = 2 * np.pi * np.arange(count) / count
    slopes = right[..., None] * np.cos(angles) + down[..., None] * np.sin(angles)
    colours = generator.uniform(0.2, 0.8, (layer.inputs, count))
    return np.asarray(slopes[:, :, None] * colours / layer.inputs, np.float64)


def _mixed(layer: Layer, generator: np.random.Generator) -> NDArray[np.float64]:
    depthwise = layer.kind == "depthwise"
    shape = (layer.kernel, layer.kernel, layer.inputs, 1 if depthwise else layer.outputs)
    fan_in = layer.kernel**2 if depthwise else layer.inputs
    noise = generator.normal(0, (2 / fan_in) ** 0.5, shape)
    if depthwise:
        plain = np.full(shape, 1 / fan_in)
    else:
        plain = (np.arange(layer.inputs)[:, None] == np.arange(layer.outputs) % layer.inputs)[None, None]
    return np.asarray((1 - NOISE) * plain + NOISE * noise, np.float64)
