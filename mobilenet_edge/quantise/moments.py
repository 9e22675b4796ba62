"""First and second moments of a layer's inputs and of the outputs it should give: all that rounding needs to know.

A convolution is one least-squares problem with K = kh * kw * in inputs and `out` outputs; a depthwise one is a problem
for each channel, with K = kh * kw inputs and one output. Both are held as a batch: (batch, K, outputs).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.graph import Array, Node

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
    def of(cls, node: Node, seen: Array, outputs: Array) -> Moments:
        """Take the moments of samples.

        Args:
            node: The layer.
            seen: What each tap of its kernel sees (taps, c, samples), as `windows` gives it.
            outputs: What it should give, before its activation (out, samples).
        """
        if node.op == "depthwise":
            inputs, outputs = seen.transpose(1, 0, 2), outputs[:, None]
        else:
            inputs, outputs = seen.reshape(1, -1, seen.shape[-1]), outputs[None]
        count = inputs.shape[-1]
        share = np.full((count, 1), 1 / count, np.float32)
        mean_x, mean_y = inputs @ share, outputs @ share
        inputs, outputs = inputs - mean_x, outputs - mean_y
        return cls(
            count,
            mean_x[..., 0].astype(np.float64),
            mean_y[..., 0].astype(np.float64),
            (inputs @ inputs.transpose(0, 2, 1)).astype(np.float64),
            (inputs @ outputs.transpose(0, 2, 1)).astype(np.float64),
        )

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

    @property
    def covariance(self) -> Wide:
        """Of the inputs with each other: (batch, K, K). The mean is the bias's business."""
        return self.xx / self.count

    @property
    def cross(self) -> Wide:
        """Of the inputs with the outputs: (batch, K, out)."""
        return self.xy / self.count


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
