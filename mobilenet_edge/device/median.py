"""The median of repeated times, and how well it is known."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Union

Number = Union[int, float]


@dataclass(frozen=True)
class Median:
    """A median with its 95 % interval, in the unit of what it was made of.

    Attributes:
        value: The median.
        interval: Its bounds, None below six values.
    """

    value: float
    interval: tuple[float, float] | None

    @classmethod
    def of(cls, values: Sequence[Number], resolution: float = 0) -> Median:
        """Take the median.

        Args:
            values: In any order.
            resolution: Step of a coarse clock that rounds down, 0 for a fine one. The median is then interpolated
                within the step that holds it, as that of grouped data.
        """
        ordered = sorted(values)
        middle: float = statistics.median(ordered)
        if resolution:
            middle = statistics.median_grouped([each + resolution / 2 for each in ordered], resolution)
        rank = _rank(len(ordered))
        bounds = None if rank is None else (float(ordered[rank]), float(ordered[-1 - rank]) + resolution)
        return cls(float(middle), bounds)

    def __sub__(self, other: float) -> Median:
        """Take a known part off."""
        bounds = self.interval and (self.interval[0] - other, self.interval[1] - other)
        return Median(self.value - other, bounds)


def _rank(count: int) -> int | None:
    """How many of `count` ordered values lie outside the interval at either end.

    As many lie below the median of what they were drawn from as heads fall in `count` throws of a coin, whatever the
    distribution (the interval of the sign test).
    """
    tail, rank = 0.0, 0
    while rank < count:
        tail += math.comb(count, rank) / 2**count
        if tail > 0.025:
            break
        rank += 1
    return rank - 1 if rank else None
