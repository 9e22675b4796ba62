"""Compute the median of repeated times and its confidence interval."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Union

Number = Union[int, float]


@dataclass(frozen=True)
class Median:
    """A median with its 95 % confidence interval, in the unit of the values.

    Attributes:
        value: The median.
        interval: Lower and upper bound, None for fewer than six values.
    """

    value: float
    interval: tuple[float, float] | None

    @classmethod
    def of(cls, values: Sequence[Number], resolution: float = 0) -> Median:
        """Compute the median of values.

        Args:
            values: At least one value, in any order.
            resolution: Step of a coarse clock that rounds down, 0 for a fine one. With a step, the median is that of
                grouped data: interpolated within the step that contains it.
        """
        ordered = sorted(values)
        middle: float = statistics.median(ordered)
        if resolution:
            middle = statistics.median_grouped([value + resolution / 2 for value in ordered], resolution)
        rank = _sign_test_rank(len(ordered))
        bounds = None if rank is None else (float(ordered[rank]), float(ordered[-1 - rank]) + resolution)
        return cls(float(middle), bounds)

    def __sub__(self, other: float) -> Median:
        """Subtract a constant from the median and its bounds."""
        bounds = self.interval and (self.interval[0] - other, self.interval[1] - other)
        return Median(self.value - other, bounds)


def _sign_test_rank(count: int) -> int | None:
    """Return the number of `count` ordered values outside the interval at either end, None if there are too few.

    The number of values below the true median follows a binomial distribution with p = 1/2, whatever the distribution
    of the values (the interval of the sign test).
    """
    tail, rank = 0.0, 0
    while rank < count:
        tail += math.comb(count, rank) / 2**count
        if tail > 0.025:
            break
        rank += 1
    return rank - 1 if rank else None
