"""First and second moments of a layer's inputs and of the outputs it should give: all that rounding needs to know.

A convolution is one least-squares problem with K = kh * kw * in inputs and `out` outputs; a depthwise one is a problem
for each channel, with K = kh * kw inputs and one output. Both are held as a batch: (batch, K, outputs).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.graph import Array, Node
from mobilenet_edge.quantise import QuantParams

Wide = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Moments:
    """Means, and sums of products of what differs from them.

    The mean goes before anything is multiplied: what float32 loses of a large mean's square would be more than the
    whole variance of an input that hardly varies, and might make it negative.

    Attributes:
        count: Number of samples.
        mean_x: Mean input (batch, K).
        mean_y: Mean output (batch, out).
        xx: Sum of products of inputs (batch, K, K).
        xy: Sum of products of inputs and outputs (batch, K, out).
    """

    count: int
    mean_x: Wide
    mean_y: Wide
    xx: Wide
    xy: Wide

    @classmethod
    def of(cls, node: Node, inputs: Array, outputs: Array) -> Moments:
        """Take the moments of samples.

        Args:
            node: The layer.
            inputs: What its kernel sees (batch, K, samples), as `windows` gives it; it is overwritten.
            outputs: What it should give, before its activation (samples, out).
        """
        wanted = outputs.T[:, None] if node.op == "depthwise" else outputs.T[None]
        mean_x, mean_y = (each.mean(axis=-1, keepdims=True) for each in (inputs, wanted))
        inputs -= mean_x
        products = _products_of_channels if node.op == "depthwise" else _products
        parts = [
            each.astype(np.float64) for each in (mean_x[..., 0], mean_y[..., 0], *products(inputs, wanted - mean_y))
        ]
        return cls(len(outputs), *parts)

    @classmethod
    def sum(cls, parts: Iterable[Moments]) -> Moments:
        """Join the moments of several batches of images."""
        each = list(parts)
        counts = np.array([part.count for part in each])
        means_x, means_y = np.stack([part.mean_x for part in each], 1), np.stack([part.mean_y for part in each], 1)
        mean_x, mean_y = (np.average(means, axis=1, weights=counts) for means in (means_x, means_y))
        # What the parts' means differ from the whole's (Chan, Golub and LeVeque 1979).
        x, y = means_x - mean_x[:, None], means_y - mean_y[:, None]
        weighted = (x * counts[:, None]).transpose(0, 2, 1)
        xx, xy = weighted @ x, weighted @ y
        for part in each:
            xx += part.xx
            xy += part.xy
        return cls(int(counts.sum()), mean_x, mean_y, xx, xy)

    def as_reals(self, grid: QuantParams) -> Moments:
        """Return the moments of what the inputs stand for, where they are integers on a grid."""
        mean_x = (self.mean_x - grid.zero_point) * grid.scale
        return replace(self, mean_x=mean_x, xx=self.xx * grid.scale**2, xy=self.xy * grid.scale)

    @property
    def covariance(self) -> Wide:
        """Of the inputs with each other: (batch, K, K). The mean is the bias's business."""
        return self.xx / self.count

    @property
    def cross(self) -> Wide:
        """Of the inputs with the outputs: (batch, K, out)."""
        return self.xy / self.count


def _products(inputs: Array, outputs: Array) -> tuple[Array, Array]:
    return inputs @ inputs.transpose(0, 2, 1), inputs @ outputs.transpose(0, 2, 1)


def _products_of_channels(inputs: Array, outputs: Array) -> tuple[Array, Array]:
    """Do the same for many small problems, of which one sample after the other lies in memory."""
    rows = [*inputs.transpose(1, 2, 0), outputs[:, 0].T]
    found = np.empty((len(inputs), len(rows), len(rows)), np.float32)
    for i, j in combinations_with_replacement(range(len(rows)), 2):
        found[:, i, j] = found[:, j, i] = np.einsum("nc,nc->c", rows[i], rows[j])
    return found[:, :-1, :-1], found[:, :-1, -1:]


def as_problems(node: Node, weight: NDArray[np.floating]) -> Wide:
    """A weight in the shape (batch, K, out)."""
    if node.op == "depthwise":
        return np.asarray(weight, np.float64).reshape(-1, weight.shape[-1]).T[:, :, None]
    return np.asarray(weight, np.float64).reshape(1, -1, weight.shape[-1])


def as_weight(node: Node, problems: Wide) -> Wide:
    """The inverse of `as_problems`."""
    flat = problems[:, :, 0].T if node.op == "depthwise" else problems[0]
    return flat.reshape(node.kernel.shape)


def per_output(node: Node, values: Wide) -> Wide:
    """Values (batch, out) as one a channel."""
    return values[:, 0] if node.op == "depthwise" else values[0]
