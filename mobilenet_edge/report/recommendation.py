"""Format a recommendation as text or JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from json import dumps
from shlex import quote
from typing import Any, Final

from mobilenet_edge.analysis.choice import Goal, Point, Price, Recommendation, Undecided, excess, gain, shown, smaller
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


def text(recommendation: Recommendation, notes: Sequence[str] = ()) -> str:
    """Format the recommended point, the runner-up, the price of each limit, and cautions."""
    if recommendation.pick is None:
        lines = list(_no_fit(recommendation))
    else:
        lines = [
            f"Take {_describe(recommendation.pick)}.",
            f"It is the {_reason(recommendation, recommendation.pick)} {_within(recommendation)}.",
        ]
        lines += [
            *_undecided(recommendation),
            _runner_up(recommendation, recommendation.pick),
            *(_cost(price, recommendation) for price in recommendation.costs),
        ]
        lines += _cautions(recommendation.pick, recommendation)
    return "\n".join(printable(line) for line in (*lines, *notes))


def json(recommendation: Recommendation, notes: Sequence[str] = ()) -> str:
    """Format the recommendation as plain values, with units in the names."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "goal": recommendation.goal,
        "limits": recommendation.limits.to_dict(),
        "pick": recommendation.pick and _point(recommendation.pick),
        "undecided": recommendation.undecided and _more(recommendation.undecided),
        "runner_up": recommendation.runner_up and _point(recommendation.runner_up),
        "runner_up_lost_by": recommendation.runner_up
        and recommendation.pick
        and _margin(recommendation.goal, recommendation.runner_up, recommendation.pick),
        "nearest_miss": recommendation.nearest
        and {**_point(recommendation.nearest), "excess": excess(recommendation.nearest, recommendation.limits)},
        "costs": [_values(price, recommendation.goal) for price in recommendation.costs],
        "unjudged": recommendation.unjudged,
        "notes": [*(_cautions(recommendation.pick, recommendation) if recommendation.pick else ()), *notes],
    }
    return dumps(document, indent=1)


def _point(point: Point) -> dict[str, Any]:
    interval = point.answers and [round(100 * end, 9) for end in point.answers.interval]
    values = {name: value for name, value in asdict(point).items() if name != "answers"}
    return {**values, "top1_interval": interval, "doubts": [doubt.to_dict() for doubt in point.doubts]}


def _more(undecided: Undecided) -> dict[str, Any]:
    return {
        "point": _point(undecided.point),
        "top1_difference": undecided.difference,
        "pictures": undecided.n,
        "p_value": undecided.p_value,
        "more_pictures_needed": undecided.more,
    }


def _values(cost: Price, goal: Goal) -> dict[str, Any]:
    unit = "buys_top1" if goal == "top1" else "buys_ms"
    bought = {"loosened_by": cost.by, unit: cost.buys} if cost.point else {}
    return {"limit": cost.limit, **bought, "point": cost.point and _point(cost.point)}


def _describe(point: Point) -> str:
    figures = [_latency(point), format_bytes(point.size_bytes), _accuracy(point)]
    if point.memory_bytes is not None:
        figures.insert(2, f"{format_bytes(point.memory_bytes)} of memory")
    return f"{point.name}: {', '.join(figures)} ({point.artifact})"


def _accuracy(point: Point) -> str:
    if point.top1 is None:
        return "accuracy unknown"
    interval = point.answers and f" ({' to '.join(f'{100 * end:.1f}' for end in point.answers.interval)})"
    return f"{point.measure} {point.top1:.1f} %{interval or ''}"


def _reason(recommendation: Recommendation, pick: Point) -> str:
    """Say what the choice is: the most accurate, or better in another figure and not shown to be less accurate."""
    if recommendation.undecided is None:
        return _GOALS[recommendation.goal]
    figure = "fastest" if shown("latency", pick, recommendation.undecided.point) else "smallest"
    return f"{figure} that is not shown to be less accurate than the best"


def _undecided(recommendation: Recommendation) -> Iterator[str]:
    if (rival := recommendation.undecided) is not None:
        test = "the intervals overlap" if rival.p_value is None else f"p = {rival.p_value:.2g}"
        yield (
            f"{rival.point.name} has {_gain('top1', rival.difference)} more, but {rival.n} images do not show it "
            f"({test}); about {rival.more} more would decide."
        )


def _latency(point: Point) -> str:
    if point.predicted and point.interval_ms:
        low, high = (format_ms(end) for end in point.interval_ms)
        return f"≈ {format_ms(point.latency_ms)} ms ({low} to {high}) predicted"
    return f"{format_ms(point.latency_ms)} ms"


def _within(recommendation: Recommendation) -> str:
    options = [f"{_OPTIONS[name]} {_figure(name, limit)}" for name, limit in recommendation.limits.to_dict().items()]
    return f"within {' and '.join(options)}" if options else "of all; no limit was given"


def _runner_up(recommendation: Recommendation, pick: Point) -> str:
    second = recommendation.runner_up
    if second is None:
        return "There is no other row." if recommendation.single else "No other row fits."
    return f"Runner-up: {_describe(second)}; it lost by {_margin(recommendation.goal, second, pick)}."


def _margin(goal: Goal, second: Point, pick: Point) -> str:
    """Return the first figure in which the runner-up is shown to be worse, in order of importance."""
    other: Goal = "latency" if goal == "top1" else "top1"
    for kind in (goal, other):
        if shown(kind, pick, second):
            return _gain(kind, gain(kind, pick, second))
    if smaller(pick.size_bytes, second.size_bytes):
        return f"{format_bytes(second.size_bytes - pick.size_bytes)} of size"
    return "nothing that is shown"


def _gain(goal: Goal, amount: float) -> str:
    if goal == "latency":
        return f"{_ms(amount)} ms"
    return f"{amount:.1f} point{'' if f'{amount:.1f}' == '1.0' else 's'} of top-1"


def _cost(cost: Price, recommendation: Recommendation) -> str:
    option = f"{_OPTIONS[cost.limit]} {_figure(cost.limit, recommendation.limits.to_dict()[cost.limit])}"
    if cost.point is None:
        return f"{option} costs nothing: without this limit alone, the choice would be the same."
    verb = "fewer buy" if cost.limit == "top1" else "more buys"
    saved = " less" if recommendation.goal == "latency" else ""
    step = _step(cost.limit, cost.by)
    return f"{option}: {step} {verb} {_gain(recommendation.goal, cost.buys)}{saved}: {_describe(cost.point)}."


def _no_fit(recommendation: Recommendation) -> Iterator[str]:
    if recommendation.nearest is None:
        yield f"Nothing fits: no row has all the figures that {_within(recommendation).removeprefix('within ')} needs."
        return
    misses = [
        f"{_step(name, by)} beyond {_OPTIONS[name]}"
        for name, by in excess(recommendation.nearest, recommendation.limits).items()
    ]
    yield f"Nothing fits {_within(recommendation)}."
    yield f"The nearest miss is {_describe(recommendation.nearest)}: {' and '.join(misses)}."


def _cautions(pick: Point, recommendation: Recommendation) -> list[str]:
    """List the reasons for caution about the choice."""
    cautions = []
    limit = recommendation.limits.latency_ms
    if pick.predicted:
        cautions.append(f"Its latency is predicted; to measure it: mnet profile {quote(pick.artifact)}")
    if limit is not None and pick.interval_ms and pick.interval_ms[1] > limit:
        cautions.append(
            f"Its latency may exceed the limit: the interval extends to {format_ms(pick.interval_ms[1])} ms."
        )
    least, interval = recommendation.limits.top1, pick.answers and pick.answers.interval
    if least is not None and interval and 100 * interval[0] < least:
        cautions.append(f"Its accuracy may miss the limit: the interval begins at {100 * interval[0]:.1f} %.")
    cautions += [f"Doubt about its latency: {sentence(doubt)}." for doubt in pick.doubts]
    if recommendation.unjudged:
        count = "1 row was" if recommendation.unjudged == 1 else f"{recommendation.unjudged} rows were"
        cautions.append(f"{count} skipped for lack of a figure that is limited.")
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
