"""Compare what a batch norm saw in training with what it sees of some pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.graph import Node

Wide = NDArray[np.float64]

# Of the median variance: channels below never fired in training, and their statistics say nothing.
_DEAD = 1e-3


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

    def divergence(self, mean: Wide, variance: Wide) -> Wide:
        """Return how unlike training some outputs are, channel by channel, dead ones left out.

        Args:
            mean: (out,), of the convolution's outputs on some pictures.
            variance: (out,), likewise.

        Returns:
            (live channels,) Kullback-Leibler divergence of one normal distribution from the other, in nats.
        """
        alive = self.alive
        trained_mean, trained_variance = (each[alive].astype(np.float64) for each in (self.mean, self.variance))
        spread = np.maximum(variance[alive], 1e-12 * trained_variance)
        shift = mean[alive] - trained_mean
        return np.asarray(
            0.5 * (np.log(trained_variance / spread) + (spread + shift**2) / trained_variance - 1), np.float64
        )
