"""A recommendation: as text, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from json import dumps
from shlex import quote
from typing import Any, Final

from mobilenet_edge.analysis.choice import Goal, Point, Price, Recommendation, excess, gain
from mobilenet_edge.analysis.wording import sentence
from mobilenet_edge.text import printable
from mobilenet_edge.units import format_bytes, format_ms

SCHEMA_VERSION: Final = 2
_OPTIONS: Final = {
    "latency_ms": "--max-latency",
    "size_bytes": "--max-size",
    "memory_bytes": "--max-memory",
    "top1": "--min-top1",
}
_GOALS: Final[dict[Goal, str]] = {"top1": "most accurate", "latency": "fastest"}


def text(found: Recommendation, notes: Sequence[str] = ()) -> str:
    """Say what to take, what came second and why it lost, and what each limit costs; then what to mind."""
    if found.pick is None:
        lines = list(_nothing(found))
    else:
        lines = [f"Take {_described(found.pick)}.", f"It is the {_GOALS[found.goal]} {_within(found)}."]
        lines += [_runner_up(found, found.pick), *(_cost(price, found) for price in found.costs)]
        lines += _cautions(found.pick, found)
    return "\n".join(printable(line) for line in (*lines, *notes))


def json(found: Recommendation, notes: Sequence[str] = ()) -> str:
    """Write the same as plain values, units in the names."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "goal": found.goal,
        "limits": found.limits.to_dict(),
        "pick": found.pick and _point(found.pick),
        "runner_up": found.runner_up and _point(found.runner_up),
        "runner_up_lost_by": found.runner_up and found.pick and _why(found.goal, found.runner_up, found.pick),
        "nearest_miss": found.nearest and {**_point(found.nearest), "excess": excess(found.nearest, found.limits)},
        "costs": [_values(price, found.goal) for price in found.costs],
        "unjudged": found.unjudged,
        "notes": [*(_cautions(found.pick, found) if found.pick else ()), *notes],
    }
    return dumps(document, indent=1)


def _point(point: Point) -> dict[str, Any]:
    return {**asdict(point), "doubts": [doubt.to_dict() for doubt in point.doubts]}


def _values(cost: Price, goal: Goal) -> dict[str, Any]:
    unit = "buys_top1" if goal == "top1" else "buys_ms"
    bought = {"loosened_by": cost.by, unit: cost.buys} if cost.point else {}
    return {"limit": cost.limit, **bought, "point": cost.point and _point(cost.point)}


def _described(point: Point) -> str:
    figures = [_latency(point), format_bytes(point.size_bytes), f"{point.measure} {point.top1:.1f} %"]
    if point.memory_bytes is not None:
        figures.insert(2, f"{format_bytes(point.memory_bytes)} of memory")
    return f"{point.name}: {', '.join(figures)} ({point.artifact})"


def _latency(point: Point) -> str:
    if point.predicted and point.interval_ms:
        low, high = (format_ms(end) for end in point.interval_ms)
        return f"≈ {format_ms(point.latency_ms)} ms ({low} to {high}) predicted"
    return f"{format_ms(point.latency_ms)} ms"


def _within(found: Recommendation) -> str:
    asked = [f"{_OPTIONS[name]} {_figure(name, limit)}" for name, limit in found.limits.to_dict().items()]
    return f"within {' and '.join(asked)}" if asked else "of all: no limit was given"


def _runner_up(found: Recommendation, pick: Point) -> str:
    if found.runner_up is None:
        return "There is no other row." if found.single else "Nothing else fits."
    return f"Runner-up: {_described(found.runner_up)}; it lost by {_why(found.goal, found.runner_up, pick)}."


def _why(goal: Goal, second: Point, pick: Point) -> str:
    """The first figure in which it is worse, in the order in which they count."""
    other: Goal = "latency" if goal == "top1" else "top1"
    for kind in (goal, other):
        far = gain(kind, pick, second)
        if far > 0:
            return _gained(kind, far)
    if second.size_bytes > pick.size_bytes:
        return f"{format_bytes(second.size_bytes - pick.size_bytes)} of size"
    return "nothing but its name"


def _gained(goal: Goal, far: float) -> str:
    if goal == "latency":
        return f"{_ms(far)} ms"
    return f"{far:.1f} point{'' if f'{far:.1f}' == '1.0' else 's'} of top-1"


def _cost(cost: Price, found: Recommendation) -> str:
    asked = f"{_OPTIONS[cost.limit]} {_figure(cost.limit, found.limits.to_dict()[cost.limit])}"
    if cost.point is None:
        return f"{asked} costs nothing: without it, the others kept, the choice would be the same."
    more = "fewer buy" if cost.limit == "top1" else "more buys"
    saved = " less" if found.goal == "latency" else ""
    step = _step(cost.limit, cost.by)
    return f"{asked}: {step} {more} {_gained(found.goal, cost.buys)}{saved}: {_described(cost.point)}."


def _nothing(found: Recommendation) -> Iterator[str]:
    if found.nearest is None:
        yield f"Nothing fits: no row has all the figures that {_within(found).removeprefix('within ')} needs."
        return
    far = [f"{_step(name, by)} beyond {_OPTIONS[name]}" for name, by in excess(found.nearest, found.limits).items()]
    yield f"Nothing fits {_within(found)}."
    yield f"The nearest miss is {_described(found.nearest)}: {' and '.join(far)}."


def _cautions(pick: Point, found: Recommendation) -> list[str]:
    """What to mind of the choice."""
    cautions = []
    limit = found.limits.latency_ms
    if pick.predicted:
        cautions.append(f"Its latency is predicted; before you rely on it: mnet profile {quote(pick.artifact)}")
    if limit is not None and pick.interval_ms and pick.interval_ms[1] > limit:
        cautions.append(
            f"Its latency may be above the limit: the interval reaches {format_ms(pick.interval_ms[1])} ms."
        )
    cautions += [f"Doubt about its latency: {sentence(doubt)}." for doubt in pick.doubts]
    if found.unjudged:
        some = "1 row was" if found.unjudged == 1 else f"{found.unjudged} rows were"
        cautions.append(f"{some} passed over, which lack a figure that is limited.")
    return cautions


def _figure(name: str, number: float) -> str:
    if name == "top1":
        return f"{number:g}"
    return f"{number:g} ms" if name == "latency_ms" else format_bytes(round(number))


def _step(name: str, number: float) -> str:
    if name == "top1":
        return f"{number:.1f} points"
    return f"{_ms(number)} ms" if name == "latency_ms" else format_bytes(round(number))


def _ms(number: float) -> str:
    return f"{number:.1f}" if number >= 0.95 else f"{number:.2g}"
