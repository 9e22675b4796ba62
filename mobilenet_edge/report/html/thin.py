"""Long runs made small enough to draw: what a picture of them would lose anyway, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

# A run of ten minutes has half a million times; a screen has some thousand columns.
SERIES: Final = 4000
DOTS: Final = 600
# At each end: the slowest inferences are what a reader looks for.
EXTREMES: Final = 10


def series(times_ns: Sequence[int], most: int = SERIES) -> list[tuple[int, int]]:
    """Return (run, time) in order: all of them, or of each stretch its fastest and its slowest.

    Args:
        times_ns: Every run, in order.
        most: No more pairs than this.
    """
    if len(times_ns) <= most:
        return list(enumerate(times_ns))
    width = math.ceil(2 * len(times_ns) / most)
    kept: list[tuple[int, int]] = []
    for start in range(0, len(times_ns), width):
        stretch = range(start, min(start + width, len(times_ns)))
        ends = {min(stretch, key=times_ns.__getitem__), max(stretch, key=times_ns.__getitem__)}
        kept += [(run, times_ns[run]) for run in sorted(ends)]
    return kept


def dots(times_ns: Sequence[int], most: int = DOTS) -> list[int]:
    """Return the times sorted: all of them, or `most`, evenly spaced in order, with the ten at each end."""
    ordered = sorted(times_ns)
    if len(ordered) <= most:
        return ordered
    inner, count = ordered[EXTREMES:-EXTREMES], most - 2 * EXTREMES
    spaced = [inner[round(index * (len(inner) - 1) / (count - 1))] for index in range(count)]
    return [*ordered[:EXTREMES], *spaced, *ordered[-EXTREMES:]]
