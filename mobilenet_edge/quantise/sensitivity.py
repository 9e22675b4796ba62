"""How much noise in each channel of a tensor moves the logits, by one pass backwards through the float graph.

A vector of random signs at the output, multiplied by the Jacobian, has at each value of a tensor the square that the
columns of the Jacobian have on average: one pass for all channels, where noise in each would take one pass a channel.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import takewhile
from typing import Final

import numpy as np

from mobilenet_edge.graph import Array, Graph, Node, bounds
from mobilenet_edge.graph.run import pad, tensors
from mobilenet_edge.graph.threads import workers

_KNOWN: Final = ("conv", "depthwise", "dense", "add", "mean")


def sensitivity(graph: Graph, images: Array, names: Collection[str]) -> dict[str, Array]:
    """Sum the squared derivatives of the logits over the pixels of each channel, as a mean over images.

    Behind an op that has no rule here nothing is looked at: what counts is then the last tensor in front of it.

    Args:
        graph: The folded graph.
        images: A few suffice, float32 (n, h, w, c).
        names: Of tensors.

    Returns:
        By name (c,), without the tensors behind such an op; the same for the same images.
    """
    front = replace(graph, nodes=tuple(takewhile(lambda node: node.op in _KNOWN, graph.nodes)))
    names = [node.name for node in front.nodes if node.name in names]
    if not names:
        return {}
    with workers() as pool:
        squares = list(pool.map(lambda index: _squares(front, images[index][None], names, index), range(len(images))))
    return {name: np.mean([each[name] for each in squares], axis=0) for name in names}


@np.errstate(over="ignore", invalid="ignore")  # the solver names the layer that is not finite
def _squares(graph: Graph, image: Array, names: list[str], seed: int) -> dict[str, Array]:
    """Of one image (1, h, w, c)."""
    values = dict(tensors(graph, image))
    signs = np.where(np.random.default_rng(seed).random(values[graph.output.name].shape) < 0.5, -1, 1)
    slopes: dict[str, Array] = {graph.output.name: signs.astype(np.float32)}
    found: dict[str, Array] = {}
    for node in reversed(graph.nodes):
        slope = slopes.pop(node.name, None)
        value = values[node.name]
        if node.name in names:
            found[node.name] = _energy(np.zeros_like(value) if slope is None else slope)
        if len(found) == len(names):
            break
        if slope is None:
            continue
        low, high = bounds(node.activation)
        slope = slope * ((value > low) & (value < high))
        for name in node.inputs:
            slopes[name] = slopes.get(name, 0) + _backwards(node, slope, values[name].shape)
    return found


def _energy(slope: Array) -> Array:
    flat = slope.reshape(-1, slope.shape[-1])
    return np.asarray(np.einsum("pc,pc->c", flat, flat))


def _backwards(node: Node, slope: Array, shape: tuple[int, ...]) -> Array:
    """Return the derivative by an input of a `shape`, given that by the output before its activation."""
    match node.op:
        case "add":
            # A vector that is added to a map counts at each pixel.
            return np.asarray(slope.sum(axis=(1, 2))) if len(shape) < slope.ndim else slope
        case "mean":
            return np.broadcast_to(slope[:, None, None] / np.float32(shape[1] * shape[2]), shape)
        case "dense":
            return np.asarray(slope @ node.kernel.T)
        case _ if len(shape) == 2:
            return np.asarray(slope * node.kernel[0, 0])
        case _:
            return _spread(node, slope, shape)


def _spread(node: Node, slope: Array, shape: tuple[int, ...]) -> Array:
    """Add up what each tap of a kernel read."""
    out = pad(np.zeros(shape, np.float32), node.padding)
    height, width = (size * node.stride for size in node.shape[:2])
    for i, j in np.ndindex(node.kernel.shape[:2]):
        tap = node.kernel[i, j]
        read = out[:, i : i + height : node.stride, j : j + width : node.stride]
        read[:, : node.shape[0], : node.shape[1]] += slope * tap if node.op == "depthwise" else slope @ tap.T
    (top, _), (left, _) = node.padding
    return out[:, top : top + shape[1], left : left + shape[2]]
