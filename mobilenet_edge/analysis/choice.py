"""Which of many measured points to take under limits, and what each limit costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mobilenet_edge.errors import UsageError
from mobilenet_edge.records.remark import Remark

Goal = Literal["top1", "latency"]


@dataclass(frozen=True)
class Point:
    """One artifact at one thread count on the machine in question.

    Attributes:
        name: "mobilenet_v1-a0.75-r160 int8 tflite".
        artifact: Path of the file.
        latency_ms: Median.
        top1: In percent.
        measure: What `top1` really is: "top-1", or what stands for it where an image has several labels or none.
        size_bytes: Of the file.
        memory_bytes: Peak resident memory, None where it was not measured.
        interval_ms: Of the latency, 95 %, None where the runs do not carry one.
        predicted: Whether the latency is predicted, not measured.
        doubts: Reasons not to trust the latency.
    """

    name: str
    artifact: str
    latency_ms: float
    top1: float
    size_bytes: int
    memory_bytes: int | None = None
    interval_ms: tuple[float, float] | None = None
    predicted: bool = False
    doubts: tuple[Remark, ...] = ()
    measure: str = "top-1"


@dataclass(frozen=True)
class Limits:
    """What a point must keep to; None for any.

    Attributes:
        latency_ms: Most.
        size_bytes: Most.
        memory_bytes: Most.
        top1: Least, in percent.

    Raises:
        UsageError: A limit that nothing can meet, or a share in place of percent.
    """

    latency_ms: float | None = None
    size_bytes: float | None = None
    memory_bytes: float | None = None
    top1: float | None = None

    def __post_init__(self) -> None:
        for option, most in (
            ("latency", self.latency_ms),
            ("size", self.size_bytes),
            ("memory", self.memory_bytes),
        ):
            if most is not None and most <= 0:
                raise UsageError(f"--max-{option} must be above 0")
        if self.top1 is not None and not 1 <= self.top1 <= 100:
            raise UsageError(f"--min-top1 is in percent, from 1 to 100, got {self.top1:g}; for example 55")

    def asked(self) -> dict[str, float]:
        """Return what is limited, by the attribute of `Point`."""
        return {name: limit for name in FIGURES if (limit := getattr(self, name)) is not None}


@dataclass(frozen=True)
class Price:
    """What one limit costs.

    Attributes:
        limit: The attribute of `Point` that is limited.
        by: How far it would have to be loosened, in its unit.
        point: What could then be taken; None where loosening it alone buys nothing.
        buys: How much better that is: points of top-1, or milliseconds saved.
    """

    limit: str
    by: float = 0.0
    point: Point | None = None
    buys: float = 0.0


@dataclass(frozen=True)
class Recommendation:
    """The best point within limits.

    Attributes:
        goal: What was made the best of: "top1", or "latency" where only a least top-1 was asked for and no latency.
        limits: As asked.
        pick: The best; None where nothing fits.
        runner_up: The second.
        nearest: Where nothing fits, what misses the limits by the smallest share of them.
        costs: One for each limit, in the order of `FIGURES`; empty where nothing fits.
        unjudged: How many points lack a figure that is limited.
        alone: Whether there was one point only to choose from.
    """

    goal: Goal
    limits: Limits
    pick: Point | None = None
    runner_up: Point | None = None
    nearest: Point | None = None
    costs: tuple[Price, ...] = ()
    unjudged: int = 0
    alone: bool = False


# How far each figure of a point goes beyond a limit; above 0 is too far.
FIGURES: Final[Mapping[str, Callable[[float, float], float]]] = {
    "latency_ms": lambda figure, most: figure - most,
    "size_bytes": lambda figure, most: figure - most,
    "memory_bytes": lambda figure, most: figure - most,
    "top1": lambda figure, least: least - figure,
}


def recommend(points: Sequence[Point], limits: Limits) -> Recommendation:
    """Pick the best point within the limits: the most accurate, or the fastest where only accuracy is asked for.

    Equals are told apart by latency, then size, then name.
    """
    asked = limits.asked()
    goal: Goal = "latency" if "top1" in asked and "latency_ms" not in asked else "top1"
    known = [each for each in points if all(getattr(each, name) is not None for name in asked)]
    ranked = sorted(known, key=_rank(goal))
    fitting = [each for each in ranked if not excess(each, limits)]
    pick = fitting[0] if fitting else None
    return Recommendation(
        goal,
        limits,
        pick,
        fitting[1] if len(fitting) > 1 else None,
        None if pick else min(ranked, key=lambda each: _miss(each, limits), default=None),
        tuple(_cost(name, ranked, limits, goal, pick) for name in asked) if pick else (),
        len(points) - len(known),
        len(points) == 1,
    )


def excess(point: Point, limits: Limits) -> dict[str, float]:
    """Return by how much a point breaks each limit that it breaks, in the limit's unit."""
    asked = limits.asked()
    beyond = {name: FIGURES[name](getattr(point, name), limit) for name, limit in asked.items()}
    return {name: far for name, far in beyond.items() if far > 0}


def gain(goal: Goal, point: Point, over: Point) -> float:
    """How much better one point is than another: points of top-1, or milliseconds."""
    return point.top1 - over.top1 if goal == "top1" else over.latency_ms - point.latency_ms


def _rank(goal: Goal) -> Callable[[Point], tuple[float | str, ...]]:
    def rank(point: Point) -> tuple[float | str, ...]:
        first = (-point.top1, point.latency_ms) if goal == "top1" else (point.latency_ms, -point.top1)
        return (*first, point.size_bytes, point.name)

    return rank


def _miss(point: Point, limits: Limits) -> float:
    """The largest share of a limit by which a point breaks it."""
    asked = limits.asked()
    return max(far / asked[name] for name, far in excess(point, limits).items())


def _cost(name: str, ranked: Sequence[Point], limits: Limits, goal: Goal, pick: Point) -> Price:
    """The least loosening of one limit that buys anything, the others kept."""
    bought = [each for each in ranked if excess(each, limits).keys() == {name} and gain(goal, each, pick) > 0]
    if not bought:
        return Price(name)
    nearest = min(bought, key=lambda each: excess(each, limits)[name])
    return Price(name, excess(nearest, limits)[name], nearest, gain(goal, nearest, pick))
