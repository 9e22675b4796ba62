"""A sustained run minute by minute, as a table and a sentence on what became of the speed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from mobilenet_edge.records import Profile
from mobilenet_edge.report.heading import heading
from mobilenet_edge.report.markdown_table import Column, grid
from mobilenet_edge.units import format_ms

Minute = Mapping[str, Any]

# Below it two minutes differ by chance.
CHANGED: Final = 0.02


def text(profile: Profile) -> str:
    """Lay out the trace of a profile that has one, with a line for each minute."""
    shown = [each for each in _COLUMNS if any(each[1] in minute for minute in profile.trace)]
    cells = [[write(minute.get(key)) for _, key, write in shown] for minute in profile.trace]
    table = grid([column for column, _, _ in shown], cells)
    return f"### {heading(profile)}: minute by minute\n\n{table}\n\n- {summary(profile)}"


def summary(profile: Profile) -> str:
    """Compare the last whole minute with the first; the very last one is often a part of a minute."""
    first, *rest = profile.trace
    whole = [each for each in rest if each is not profile.trace[-1]] or rest
    if not whole:
        return "One minute says nothing about heat; ask for more with --sustain."
    last = whole[-1]
    change = last["median_ms"] / first["median_ms"] - 1
    if abs(change) < CHANGED:
        return f"Minute {last['minute']} is as fast as minute {first['minute']} (within {CHANGED:.0%})."
    word = "slower" if change > 0 else "faster"
    return f"Minute {last['minute']} is {abs(change):.0%} {word} than minute {first['minute']}."


def _number(digits: int) -> Callable[[float | None], str]:
    return lambda value: "-" if value is None else f"{value:.{digits}f}"


def _ms(value: float | None) -> str:
    return "-" if value is None else format_ms(value)


def _words(value: list[str] | None) -> str:
    return ", ".join(value) if value else "no"


_COLUMNS: Final[tuple[tuple[Column, str, Callable[[Any], str]], ...]] = (
    (Column("minute"), "minute", _number(0)),
    (Column("runs"), "runs", _number(0)),
    (Column("median ms"), "median_ms", _ms),
    (Column("p90 ms"), "p90_ms", _ms),
    (Column("hottest C"), "temperature_c", _number(1)),
    (Column("lowest MHz"), "mhz", _number(0)),
    (Column("throttled", words=True), "throttled", _words),
)
