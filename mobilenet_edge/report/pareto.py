"""Which choices are worth a look: those that no other choice beats on every count."""

from __future__ import annotations

from collections.abc import Sequence

Costs = tuple[float, ...]


def front(points: Sequence[Costs]) -> list[bool]:
    """Mark the points on the Pareto front; every coordinate is a cost, so give a gain with its sign turned.

    A point is off the front when another is no worse anywhere and better somewhere. Equal points share their fate:
    neither beats the other.
    """
    return [not any(_dominates(other, point) for other in points) for point in points]


def _dominates(one: Costs, other: Costs) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
