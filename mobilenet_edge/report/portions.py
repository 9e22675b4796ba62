"""Format how the time from the file of a picture to its answer is shared between decoding, preparing and inference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mobilenet_edge.records import Profile
from mobilenet_edge.records.profile import STAGES
from mobilenet_edge.report.heading import heading
from mobilenet_edge.report.markdown_table import Column, grid, inline
from mobilenet_edge.units import format_ms

COLUMNS: Final = (
    Column("with", words=True),
    Column("picture", words=True),
    *map(Column, ("decode ms", "prepare ms", "infer ms", "top-k ms", "total ms")),
)

Entry = Mapping[str, Any]


def text(profile: Profile) -> str:
    """Format one row for the first picture of a process and one for those after it, for each way of a profile."""
    rows = [_cells(entry, case) for entry in profile.end_to_end for case in ("first_", "")]
    notes = "\n".join(f"- {inline(note)}" for entry in profile.end_to_end for note in _notes(entry))
    return f"### {heading(profile)}: from file to answer\n\n{grid(COLUMNS, rows)}\n\n{notes}"


def _cells(entry: Entry, case: str) -> list[str]:
    *parts, total = (entry[f"{case}{name}"] for name in STAGES)
    shares = [f"{format_ms(ms)} ({ms / sum(parts):.0%})" if ms else format_ms(ms) for ms in parts]
    return [f"{entry['library']} {entry['version']}", "first" if case else "following", *shares, format_ms(total)]


def _notes(entry: Entry) -> Iterator[str]:
    library = entry["library"]
    yield (
        f"{library}: medians of {entry['runs']} runs on {entry['pictures']} pictures, read from memory; resized by "
        f"{entry['resize']}. Before the first picture, importing took {format_ms(entry['import_ms'])} ms and loading "
        f"the model {format_ms(entry['load_ms'])} ms."
    )
    if entry["equal"] == entry["pictures"]:
        yield f"{library}: the pixels are exactly those of mnet here."
        return
    changed = entry["changed"]
    answers = "" if changed is None else f", and {changed} of {entry['pictures']} answers change"
    yield (
        f"{library}: the pixels are not those of mnet here: they differ by {entry['mean_difference']:.2f} of 255 grey "
        f"levels on average, by {entry['max_difference']} at most{answers}."
    )
