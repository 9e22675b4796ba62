"""Find Pareto fronts."""

from __future__ import annotations

from collections.abc import Sequence

Costs = tuple[float, ...]


def front(points: Sequence[Costs]) -> list[bool]:
    """Mark the points on the Pareto front.

    A point is dominated if another point is no worse in any coordinate and better in one. Equal points do not dominate
    each other.

    Args:
        points: Coordinates, all of which are costs; negate gains.

    Returns:
        For each point, whether it is on the front.
    """
    return [not any(_dominates(other, point) for other in points) for point in points]


def _dominates(one: Costs, other: Costs) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))
