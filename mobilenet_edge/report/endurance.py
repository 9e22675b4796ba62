"""Format a sustained run minute by minute, with a sentence on the change in speed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from mobilenet_edge.records import Profile
from mobilenet_edge.report.heading import heading
from mobilenet_edge.report.markdown_table import Column, grid
from mobilenet_edge.units import format_ms

Minute = Mapping[str, Any]

# Smaller changes between two minutes can be chance.
MIN_CHANGE: Final = 0.02


def text(profile: Profile) -> str:
    """Format the trace of a profile that has one, one row per minute."""
    shown = [entry for entry in _COLUMNS if any(entry[1] in minute for minute in profile.trace)]
    cells = [[format_(minute.get(key)) for _, key, format_ in shown] for minute in profile.trace]
    table = grid([column for column, _, _ in shown], cells)
    return f"### {heading(profile)}: minute by minute\n\n{table}\n\n- {summary(profile)}"


def summary(profile: Profile) -> str:
    """Compare the last full minute with the first; the final one is often incomplete."""
    first, *rest = profile.trace
    full = [minute for minute in rest if minute is not profile.trace[-1]] or rest
    if not full:
        return "One minute is too short to show the effect of heat; use a longer --sustain."
    last = full[-1]
    change = last["median_ms"] / first["median_ms"] - 1
    if abs(change) < MIN_CHANGE:
        return f"Minute {last['minute']} is as fast as minute {first['minute']} (within {MIN_CHANGE:.0%})."
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
    (Column("max °C"), "temperature_c", _number(1)),
    (Column("min MHz"), "mhz", _number(0)),
    (Column("throttled", words=True), "throttled", _words),
)
