"""The operators of one artifact: where its time goes, beside what each has to compute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mobilenet_edge.records import Profile
from mobilenet_edge.report.heading import heading
from mobilenet_edge.report.markdown_table import Column, grid, inline
from mobilenet_edge.units import format_count, format_ms

LONGEST: Final = 28  # so that the table fits 100 columns
LEAST_SHARE: Final = 0.005
NONE: Final = "-"
COLUMNS: Final = (
    Column("op"),
    Column("operator", words=True),
    Column("kind", words=True),
    Column("ms"),
    Column("share"),
    Column("MACs"),
    Column("GMAC/s"),
)


def text(profile: Profile) -> str:
    """Lay out the operators of a profile that has them, in the order in which they run."""
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
        # A difference of two times may fall below 0, and is shown as it is.
        format_ms(op["ms"]) if op["ms"] >= 0 else f"{op['ms']:z.3f}",
        f"{op['ms'] / total:z.1%}" if total > 0 else NONE,
        NONE if macs is None else format_count(macs),
        NONE if speed is None else f"{speed:.1f}",
    ]


def _short(name: str) -> str:
    """Keep the end of a long name, which is where names of one model differ."""
    return name if len(name) <= LONGEST else f"…{name[1 - LONGEST :]}"


def _notes(profile: Profile, total: float) -> Iterator[str]:
    about = profile.conditions.get("ops", {})
    whole = about.get("whole_ms")
    beside = f"; the whole inference {format_ms(whole)} ms, in the same process" if whole else ""
    yield f"Operators: {format_ms(total)} ms in all{beside}."
    kinds: dict[str, float] = {}
    for op in profile.ops or ():
        kinds[op["kind"]] = kinds.get(op["kind"], 0.0) + op["ms"]
    if total > 0:
        shares = sorted(kinds.items(), key=lambda item: -item[1])
        parts = [f"{kind} {share / total:.0%}" for kind, share in shares if share / total >= LEAST_SHARE]
        yield f"By kind: {', '.join(parts)}."
    if how := about.get("how"):
        yield f"How: {how}."
