"""Compare what a batch norm saw in training with what it sees of some pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.graph import Node

Wide = NDArray[np.float64]

# Of the median variance: channels below never fired in training, and their statistics say nothing.
_DEAD = 1e-3
# Variances far below Keras's epsilon of 1e-3 are of channels that a batch norm switches off.
_OFF = 1e-5


class Moments(NamedTuple):
    """Mean and variance of some outputs, (out,) float64 each, and which channels varied in training."""

    mean: Wide
    variance: Wide
    alive: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Norm:
    """A batch norm that reads a convolution directly.

    Attributes:
        node: The convolution as it was trained, before the batch norm is folded into it.
        mean: (out,), of its outputs in training.
        variance: (out,), likewise.
    """

    node: Node
    mean: Wide
    variance: Wide

    @property
    def trained(self) -> bool:
        """Whether the statistics are others than those a new layer begins with."""
        return bool(self.mean.any() or (self.variance != 1).any())

    @property
    def alive(self) -> NDArray[np.bool_]:
        """(out,) the channels that varied in training."""
        return np.asarray(self.variance > _DEAD * np.median(self.variance[self.variance > 0], axis=0))

    def folded(self, node: Node) -> Moments:
        """Return the statistics of training for a node that the batch norm is folded into.

        Args:
            node: The node of the finished graph, whose weight is that of `self.node` with a factor for each output.

        Returns:
            Of its outputs before the activation.
        """
        before, after = (each.kernel.astype(np.float64).reshape(-1, len(self.mean)) for each in (self.node, node))
        factor = (before * after).sum(axis=0) / np.maximum((before**2).sum(axis=0), np.finfo(np.float64).tiny)
        mean = (self.mean - self.node.offset) * factor + node.offset
        variance = self.variance * factor**2
        # A gamma of 0 leaves a channel constant, whatever it was before.
        return Moments(mean, variance, self.alive & (self.variance > _OFF) & (variance > 0))

    def divergence(self, mean: Wide, variance: Wide) -> Wide:
        """Return how unlike training some outputs are, channel by channel, dead ones left out.

        Args:
            mean: (out,), of the convolution's outputs on some pictures.
            variance: (out,), likewise.

        Returns:
            (live channels,) Kullback-Leibler divergence of one normal distribution from the other, in nats.
        """
        return divergence(mean, variance, Moments(self.mean, self.variance, self.alive))


def divergence(mean: Wide, variance: Wide, trained: Moments) -> Wide:
    """Return how unlike those of training the moments (out,) of some outputs are; see `Norm.divergence`."""
    alive = trained.alive
    trained_mean, trained_variance = (each[alive].astype(np.float64) for each in (trained.mean, trained.variance))
    spread = np.maximum(variance[alive], 1e-12 * trained_variance)
    shift = mean[alive] - trained_mean
    return np.asarray(
        0.5 * (np.log(trained_variance / spread) + (spread + shift**2) / trained_variance - 1), np.float64
    )
