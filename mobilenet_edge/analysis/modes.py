"""Detect times in two groups, as of a changing clock or of two types of core, which no single median describes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median
from typing import Final

MIN_SHARE: Final = 0.15
MIN_GAP: Final = 0.05


@dataclass(frozen=True)
class Modes:
    """Two groups of times.

    Attributes:
        low_ms: Median of the fast group.
        high_ms: Median of the slow group.
        share: Of the runs that are in the slow group.
    """

    low_ms: float
    high_ms: float
    share: float


def find(rounds: Sequence[Sequence[int]]) -> Modes | None:
    """Split all times in two where the sum of squares within the groups is least, and return a clear split.

    It is clear where each group holds at least 15 % of the runs, in one round at least (rounds that differ as wholes
    are not two modes), and the empty middle between the groups' inner 80 % is wider than either of these and than 5 %
    of the fast group's median.

    Args:
        rounds: The times of each round in nanoseconds.

    Returns:
        The groups; None where there are none.
    """
    times = sorted(time for round_ in rounds for time in round_)
    cut = _cut(times)
    fast, slow = times[:cut], times[cut:]
    if not fast or min(len(fast), len(slow)) < MIN_SHARE * len(times):
        return None
    fast_ends, slow_ends = _inner(fast), _inner(slow)
    empty = slow_ends[0] - fast_ends[1]
    if empty <= max(fast_ends[1] - fast_ends[0], slow_ends[1] - slow_ends[0], MIN_GAP * median(fast)):
        return None
    shares = [sum(time >= slow[0] for time in round_) / len(round_) for round_ in rounds]
    if not any(MIN_SHARE <= share <= 1 - MIN_SHARE for share in shares):
        return None
    return Modes(median(fast) / 1e6, median(slow) / 1e6, len(slow) / len(times))


def _cut(times: Sequence[int]) -> int:
    """Return how many of the sorted times belong to the fast group; 0 where all are equal."""
    total, count = sum(times), len(times)
    # The squares within are least where those between are most: n1 n2 (mean1 - mean2)², in whole numbers times n1 n2.
    between = (
        ((total * size - count * below) ** 2 / (size * (count - size)), size)
        for size, below in enumerate(accumulate(times[:-1]), start=1)
    )
    best, size = max(between, default=(0, 0))
    return size if best else 0


def _inner(ordered: Sequence[int]) -> tuple[int, int]:
    tenth = len(ordered) // 10
    return ordered[tenth], ordered[-1 - tenth]
