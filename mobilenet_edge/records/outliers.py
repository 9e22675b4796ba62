"""Runs far from the rest. They are marked, never clipped: a slow run is as real as the others."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

# A modified z-score of 3.5, after Iglewicz and Hoaglin, "How to detect and handle outliers" (1993).
SCORES: Final = 3.5
# What makes a standard deviation of the median absolute deviation (MAD) of normal values.
NORMAL: Final = 1.4826
# Where more than half the times are equal the MAD is 0, and the tick of a coarse clock would be an outlier.
LEAST: Final = 0.01


def outliers(times_ns: Sequence[int]) -> tuple[int, ...]:
    """Find the runs more than 3.5 robust standard deviations from the median.

    The robust standard deviation is 1.4826 MAD, and no less than 1 % of the median.

    Returns:
        Indexes into the times, in order.
    """
    middle = statistics.median(times_ns)
    deviation = statistics.median(abs(time_ns - middle) for time_ns in times_ns)
    limit = SCORES * max(NORMAL * deviation, LEAST * middle)
    return tuple(index for index, time_ns in enumerate(times_ns) if abs(time_ns - middle) > limit)
