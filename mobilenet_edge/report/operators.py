"""Format the operators of one artifact with their time and work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mobilenet_edge.records import Profile
from mobilenet_edge.report.heading import heading
from mobilenet_edge.report.markdown_table import Column, grid, inline
from mobilenet_edge.units import format_count, format_ms

MAX_NAME: Final = 28  # the table then fits in 100 columns
MIN_SHARE: Final = 0.005
NONE: Final = "-"
COLUMNS: Final = (
    Column("op"),
    Column("operator", words=True),
    Column("type", words=True),
    Column("ms"),
    Column("share"),
    Column("MACs"),
    Column("GMAC/s"),
)


def text(profile: Profile) -> str:
    """Format the operators of a profile that has them, in the order in which they run."""
    ops = profile.ops or ()
    total = sum(op["ms"] for op in ops)
    table = grid(COLUMNS, [_cells(op, total) for op in ops])
    notes = "\n".join(f"- {inline(note)}" for note in _notes(profile, total))
    return f"### {heading(profile)}: operators\n\n{table}\n\n{notes}"


def _cells(op: Mapping[str, Any], total: float) -> list[str]:
    macs, speed = op.get("macs"), op.get("gmacs_per_s")
    return [
        str(op["index"]),
        _short(str(op["name"])),
        str(op["kind"]),
        # The time is a difference of two measurements, which can be negative.
        format_ms(op["ms"]) if op["ms"] >= 0 else f"{op['ms']:z.3f}",
        f"{op['ms'] / total:z.1%}" if total > 0 else NONE,
        NONE if macs is None else format_count(macs),
        NONE if speed is None else f"{speed:.1f}",
    ]


def _short(name: str) -> str:
    """Shorten a long name to its end, where the names within one model differ."""
    return name if len(name) <= MAX_NAME else f"…{name[1 - MAX_NAME :]}"


def _notes(profile: Profile, total: float) -> Iterator[str]:
    about = profile.conditions.get("ops", {})
    whole = about.get("whole_ms")
    inference = f"; the whole inference took {format_ms(whole)} ms in the same process" if whole else ""
    yield f"Operators: {format_ms(total)} ms in total{inference}."
    by_type: dict[str, float] = {}
    for op in profile.ops or ():
        by_type[op["kind"]] = by_type.get(op["kind"], 0.0) + op["ms"]
    if total > 0:
        times = sorted(by_type.items(), key=lambda item: -item[1])
        parts = [f"{op_type} {ms / total:.0%}" for op_type, ms in times if ms / total >= MIN_SHARE]
        yield f"By type: {', '.join(parts)}."
    if how := about.get("how"):
        yield f"Method: {how}."
