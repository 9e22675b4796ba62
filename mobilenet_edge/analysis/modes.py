"""Detect bimodal times, for example from a changing clock frequency or from two types of core."""

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
        low_ms: Median of the fast group in milliseconds.
        high_ms: Median of the slow group in milliseconds.
        share: Fraction of the runs in the slow group.
    """

    low_ms: float
    high_ms: float
    share: float


def find(rounds: Sequence[Sequence[int]]) -> Modes | None:
    """Split the times into two groups, if there are two.

    The split minimises the sum of squares within the groups. It counts if each group holds at least 15 % of the runs,
    overall and in at least one round (rounds that differ as a whole are not two modes), and if the gap between the
    inner 80 % of the groups is wider than each of these ranges and than 5 % of the median of the fast group.

    Args:
        rounds: Times of each round in nanoseconds.

    Returns:
        The two groups, or None if the times have one mode.
    """
    times = sorted(time for round_ in rounds for time in round_)
    cut = _cut(times)
    fast, slow = times[:cut], times[cut:]
    if not fast or min(len(fast), len(slow)) < MIN_SHARE * len(times):
        return None
    fast_ends, slow_ends = _inner(fast), _inner(slow)
    gap = slow_ends[0] - fast_ends[1]
    if gap <= max(fast_ends[1] - fast_ends[0], slow_ends[1] - slow_ends[0], MIN_GAP * median(fast)):
        return None
    shares = [sum(time >= slow[0] for time in round_) / len(round_) for round_ in rounds]
    if not any(MIN_SHARE <= share <= 1 - MIN_SHARE for share in shares):
        return None
    return Modes(median(fast) / 1e6, median(slow) / 1e6, len(slow) / len(times))


def _cut(times: Sequence[int]) -> int:
    """Return the number of sorted times in the fast group; 0 if all times are equal."""
    total, count = sum(times), len(times)
    # Minimising the squares within the groups maximises those between them, n1 n2 (mean1 - mean2)² / n; the values
    # below are proportional to it.
    between = (
        ((total * size - count * below) ** 2 / (size * (count - size)), size)
        for size, below in enumerate(accumulate(times[:-1]), start=1)
    )
    best, size = max(between, default=(0, 0))
    return size if best else 0


def _inner(ordered: Sequence[int]) -> tuple[int, int]:
    tenth = len(ordered) // 10
    return ordered[tenth], ordered[-1 - tenth]
