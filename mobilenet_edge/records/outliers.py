"""Find outliers. They are marked and never removed, because a slow run is as real as the others."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

# A modified z-score of 3.5, after Iglewicz and Hoaglin, "How to detect and handle outliers" (1993).
MAX_SCORE: Final = 3.5
# Ratio of the standard deviation to the median absolute deviation (MAD) of a normal distribution.
MAD_SCALE: Final = 1.4826
# Minimum deviation, relative to the median. If more than half of the times are equal, the MAD is 0, and one tick of a
# coarse clock would be an outlier.
MIN_DEVIATION: Final = 0.01


def outliers(times_ns: Sequence[int]) -> tuple[int, ...]:
    """Find the runs more than 3.5 robust standard deviations from the median.

    The robust standard deviation is 1.4826 MAD, but at least 1 % of the median.

    Returns:
        Ascending indexes into `times_ns`.
    """
    middle = statistics.median(times_ns)
    deviation = statistics.median(abs(time_ns - middle) for time_ns in times_ns)
    limit = MAX_SCORE * max(MAD_SCALE * deviation, MIN_DEVIATION * middle)
    return tuple(index for index, time_ns in enumerate(times_ns) if abs(time_ns - middle) > limit)
