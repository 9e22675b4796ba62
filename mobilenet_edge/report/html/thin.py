"""Thin out long series of times for charts, without a visible difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

# Ten minutes can have half a million times, but a screen has a few thousand columns.
SERIES: Final = 4000
DOTS: Final = 600
# Extreme values to keep at each end, because readers look for the slowest inferences.
EXTREMES: Final = 10


def series(times_ns: Sequence[int], limit: int = SERIES) -> list[tuple[int, int]]:
    """Return all times, or the fastest and the slowest of each interval of runs.

    Args:
        times_ns: Time of every run, in order.
        limit: Maximum number of times.

    Returns:
        Pairs of the index of the run and its time, in order.
    """
    if len(times_ns) <= limit:
        return list(enumerate(times_ns))
    width = math.ceil(2 * len(times_ns) / limit)
    pairs: list[tuple[int, int]] = []
    for start in range(0, len(times_ns), width):
        runs = range(start, min(start + width, len(times_ns)))
        ends = {min(runs, key=times_ns.__getitem__), max(runs, key=times_ns.__getitem__)}
        pairs += [(run, times_ns[run]) for run in sorted(ends)]
    return pairs


def dots(times_ns: Sequence[int], limit: int = DOTS) -> list[int]:
    """Return the sorted times: all of them, or `limit` at even ranks, with the ten at each end."""
    ordered = sorted(times_ns)
    if len(ordered) <= limit:
        return ordered
    inner, count = ordered[EXTREMES:-EXTREMES], limit - 2 * EXTREMES
    spaced = [inner[round(index * (len(inner) - 1) / (count - 1))] for index in range(count)]
    return [*ordered[:EXTREMES], *spaced, *ordered[-EXTREMES:]]
