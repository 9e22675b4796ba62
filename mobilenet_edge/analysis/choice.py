"""Recommend one of many measured artifacts within limits, and price each limit.

An artifact is never preferred for a difference that is not shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mobilenet_edge.analysis import evidence
from mobilenet_edge.analysis.evidence import Answers
from mobilenet_edge.errors import UsageError
from mobilenet_edge.records.remark import Remark

Goal = Literal["top1", "latency"]
SIZE_TOLERANCE: Final = 0.05


@dataclass(frozen=True)
class Point:
    """One artifact at one thread count on one machine.

    Attributes:
        name: "mobilenet_v1-a0.75-r160 int8 tflite".
        artifact: Path of the file.
        latency_ms: Median latency in milliseconds.
        top1: Accuracy in percent, or None if it is unknown.
        size_bytes: File size in bytes.
        memory_bytes: Peak resident memory in bytes, or None if it was not measured.
        interval_ms: 95 % interval of the latency, or None if there are too few runs.
        predicted: Whether the latency is predicted rather than measured.
        doubts: Reasons not to trust the latency.
        measure: Metric that `top1` holds: "top-1", or another one for multi-label models and feature extractors.
        answers: Answers that a measured top-1 is of.
    """

    name: str
    artifact: str
    latency_ms: float
    top1: float | None
    size_bytes: int
    memory_bytes: int | None = None
    interval_ms: tuple[float, float] | None = None
    predicted: bool = False
    doubts: tuple[Remark, ...] = ()
    measure: str = "top-1"
    answers: Answers | None = None


@dataclass(frozen=True)
class Limits:
    """Constraints on a point; None means no limit.

    Attributes:
        latency_ms: Maximum median latency in milliseconds.
        size_bytes: Maximum file size in bytes.
        memory_bytes: Maximum peak memory in bytes.
        top1: Minimum top-1 in percent.

    Raises:
        UsageError: A limit is out of range, for example a fraction instead of a percentage.
    """

    latency_ms: float | None = None
    size_bytes: float | None = None
    memory_bytes: float | None = None
    top1: float | None = None

    def __post_init__(self) -> None:
        for option, maximum in (
            ("latency", self.latency_ms),
            ("size", self.size_bytes),
            ("memory", self.memory_bytes),
        ):
            if maximum is not None and maximum <= 0:
                raise UsageError(f"--max-{option} must be above 0, got {maximum:g}")
        if self.top1 is not None and not 1 <= self.top1 <= 100:
            raise UsageError(f"--min-top1 is in percent, from 1 to 100, got {self.top1:g}; give, for example, 55")

    def to_dict(self) -> dict[str, float]:
        """Return the limits that are set, by attribute of `Point`."""
        return {name: limit for name in EXCESS if (limit := getattr(self, name)) is not None}


@dataclass(frozen=True)
class Price:
    """Cost of one limit.

    Attributes:
        limit: Attribute of `Point` that is limited.
        by: How far to relax the limit to get a better point, in the unit of the limit.
        point: Point that the relaxed limit allows, or None if relaxing this limit alone gains nothing.
        buys: Gain of that point: percentage points of top-1, or milliseconds saved.
    """

    limit: str
    by: float = 0.0
    point: Point | None = None
    buys: float = 0.0


@dataclass(frozen=True)
class Undecided:
    """A point whose higher accuracy is not shown.

    Attributes:
        point: The point.
        difference: Percentage points by which its accuracy is higher than that of the choice.
        n: Number of pictures.
        p_value: p-value of the exact McNemar test, or None if the answers could not be paired.
        more: Estimated number of further pictures that would show the difference.
    """

    point: Point
    difference: float
    n: int
    p_value: float | None
    more: int


@dataclass(frozen=True)
class Recommendation:
    """The best point within limits.

    Attributes:
        goal: Figure that was optimised: "latency" if top-1 is unknown, or limited while latency is not; else "top1".
        limits: Limits of the choice.
        pick: Best point, or None if no point meets the limits.
        runner_up: Second best point.
        nearest: If no point meets the limits, the one with the smallest relative excess.
        costs: Price of each limit, in the order of `EXCESS`; empty if no point meets the limits.
        unjudged: Number of points without a figure that is limited.
        single: Whether there was only one point to choose from.
        undecided: Most accurate point within the limits, if it is not the choice because that is not shown.
    """

    goal: Goal
    limits: Limits
    pick: Point | None = None
    runner_up: Point | None = None
    nearest: Point | None = None
    costs: tuple[Price, ...] = ()
    unjudged: int = 0
    single: bool = False
    undecided: Undecided | None = None


# Excess of a figure over its limit; positive means that the limit is broken.
EXCESS: Final[Mapping[str, Callable[[float, float], float]]] = {
    "latency_ms": lambda figure, limit: figure - limit,
    "size_bytes": lambda figure, limit: figure - limit,
    "memory_bytes": lambda figure, limit: figure - limit,
    "top1": lambda figure, limit: limit - figure,
}


def recommend(points: Sequence[Point], limits: Limits) -> Recommendation:
    """Pick the best point within the limits.

    The best point is the fastest if top-1 is unknown, or limited while latency is not, else the most accurate. Of those
    that are not shown to be worse, the best in the other of the two figures is picked, then the smallest, and last the
    one whose median is the fastest.
    """
    active = limits.to_dict()
    by_latency = ("top1" in active and "latency_ms" not in active) or all(point.top1 is None for point in points)
    goal: Goal = "latency" if by_latency else "top1"
    complete = [point for point in points if all(getattr(point, name) is not None for name in active)]
    ranked = sorted(complete, key=_rank(goal))
    fitting = [point for point in ranked if not excess(point, limits)]
    pick = _select(fitting, goal)
    return Recommendation(
        goal,
        limits,
        pick,
        _select([point for point in fitting if point is not pick], goal),
        None if pick else min(ranked, key=lambda point: _relative_excess(point, limits), default=None),
        tuple(_cost(name, ranked, limits, goal, pick) for name in active) if pick else (),
        len(points) - len(complete),
        len(points) == 1,
        _undecided(fitting, pick) if pick and goal == "top1" else None,
    )


def excess(point: Point, limits: Limits) -> dict[str, float]:
    """Return the excess of a point over each limit that it breaks, in the unit of the limit."""
    beyond = {name: EXCESS[name](getattr(point, name), limit) for name, limit in limits.to_dict().items()}
    return {name: amount for name, amount in beyond.items() if amount > 0}


def gain(goal: Goal, point: Point, over: Point) -> float:
    """Return the gain of one point over another: percentage points of top-1, or milliseconds saved."""
    if goal == "latency":
        return over.latency_ms - point.latency_ms
    return 0.0 if point.top1 is None or over.top1 is None else point.top1 - over.top1


def shown(goal: Goal, point: Point, over: Point) -> bool:
    """Return whether the gain of one point over another is positive and shown."""
    better = evidence.more_accurate if goal == "top1" else evidence.faster
    return better(point, over)


def smaller(size_bytes: int, other: int) -> bool:
    """Return whether a file is smaller by enough to matter: 5 %, which is more than formats differ by."""
    return size_bytes < (1 - SIZE_TOLERANCE) * other


def _select(ranked: Sequence[Point], goal: Goal) -> Point | None:
    """Pick from points in the order of `_rank`: by each figure, drop those shown to be worse than the best."""
    left = list(ranked)
    figures: tuple[Goal, Goal] = ("top1", "latency") if goal == "top1" else ("latency", "top1")
    for figure in figures:
        best = min(left, key=_rank(figure), default=None)
        left = [point for point in left if best is not None and not shown(figure, best, point)]
    least = min((point.size_bytes for point in left), default=0)
    return min((point for point in left if not smaller(least, point.size_bytes)), key=_rank("latency"), default=None)


def _undecided(fitting: Sequence[Point], pick: Point) -> Undecided | None:
    best = min(fitting, key=_rank("top1"))
    if best.answers is None or pick.answers is None:
        return None
    more, pair = best.answers.more_needed(pick.answers), best.answers.paired(pick.answers)
    difference = gain("top1", best, pick)
    if more is None or difference <= 0:
        return None
    return Undecided(best, difference, pick.answers.n, None if pair is None else pair.p_value, more)


def _rank(goal: Goal) -> Callable[[Point], tuple[float | str, ...]]:
    def rank(point: Point) -> tuple[float | str, ...]:
        loss = math.inf if point.top1 is None else -point.top1
        first = (loss, point.latency_ms) if goal == "top1" else (point.latency_ms, loss)
        return (*first, point.size_bytes, point.name)

    return rank


def _relative_excess(point: Point, limits: Limits) -> float:
    """Return the largest excess of a point, as a fraction of the limit it breaks."""
    active = limits.to_dict()
    return max(amount / active[name] for name, amount in excess(point, limits).items())


def _cost(name: str, ranked: Sequence[Point], limits: Limits, goal: Goal, pick: Point) -> Price:
    """Find the smallest relaxation of one limit that is shown to gain anything, with the other limits unchanged."""
    better = [point for point in ranked if excess(point, limits).keys() == {name} and shown(goal, point, pick)]
    if not better:
        return Price(name)
    nearest = min(better, key=lambda point: excess(point, limits)[name])
    return Price(name, excess(nearest, limits)[name], nearest, gain(goal, nearest, pick))
