"""Format what a search for a mixed file tried, and compare mixed files with int8 ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mobilenet_edge.conversion.search import Point, Search
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.report.markdown_table import Column, grid
from mobilenet_edge.text import printable


def table(search: Search) -> str:
    """Format all divisions, and mark the ones that were chosen."""
    formats = list(search.chosen)
    columns = [
        Column("float layers"),
        Column("up to", words=True),
        Column("float MACs"),
        *(Column(f".{kind}") for kind in formats),
        Column("agreement"),
        Column("SNR"),
        Column("chosen for", words=True),
    ]
    rows = [_row(point, search, formats) for point in search.points]
    return f"{grid(columns, rows)}\n\n{_note(search)}"


def compare(artifacts: Sequence[Artifact], search: Search | None) -> Iterator[str]:
    """Say of each mixed file whether it is nearer to the float model than its int8 sibling, or faster."""
    for mixed in artifacts:
        sibling = next((file for file in artifacts if _is_sibling(mixed, file)), None)
        facts = [] if sibling is None else [*_nearer(mixed, sibling), *_faster(mixed, search)]
        if sibling is not None and facts:
            names = printable(mixed.path.name), printable(sibling.path.name)
            yield f"{names[0]}, compared with {names[1]}, is {' and '.join(facts)}."


def _is_sibling(mixed: Artifact, file: Artifact) -> bool:
    uncompiled = file.metadata is not None and file.metadata.compilation is None
    return (mixed.precision, file.precision, file.format) == ("mixed", "int8", mixed.format) and uncompiled


def _nearer(mixed: Artifact, int8: Artifact) -> Iterator[str]:
    figures = [file.metadata.agreement.snr_db for file in (mixed, int8) if file.metadata and file.metadata.agreement]
    if len(figures) == 2 and figures[0] > figures[1]:
        yield f"nearer to the float model ({figures[0]:.1f} against {figures[1]:.1f} dB)"


def _faster(mixed: Artifact, search: Search | None) -> Iterator[str]:
    if search is None or mixed.format not in search.chosen:
        return
    all_int8, *points = search.points
    cut = search.chosen[mixed.format].cut
    times = [point.ms[mixed.format] for point in (*(point for point in points if point.cut == cut), all_int8)]
    if times[0] < times[1]:
        yield f"faster by estimate ({times[0]:.2f} against {times[1]:.2f} ms)"


def _row(point: Point, search: Search, formats: Sequence[str]) -> list[str]:
    chosen = [f".{kind}" for kind in formats if point.cut and search.chosen[kind].cut == point.cut]
    return [
        str(point.layers),
        printable(point.cut),
        f"{point.share:.0%}",
        *(f"{point.ms[kind]:.2f} ms" for kind in formats),
        "" if point.agreement is None else f"{point.agreement:.1%}",
        "" if point.snr_db is None else f"{point.snr_db:.1f} dB",
        " and ".join(chosen),
    ]


def _note(search: Search) -> str:
    lines = [
        f"Times are estimated from single operators. Agreement with the float model, at least {search.wanted:.1%} was "
        f"asked for, is measured on {search.views} views of {search.pictures} held-out pictures, where it was tried."
    ]
    all_int8, *points = search.points
    if all_int8.agreement is not None and all_int8.agreement >= search.wanted:
        lines.append("int8 alone keeps it too: export with --precision int8 where it is faster.")
    for kind, mixed in search.chosen.items():
        ms = next(point.ms[kind] for point in points if point.cut == mixed.cut)
        if search.float32_ms[kind] <= ms:
            lines.append(
                f"The float32 .{kind} is no slower ({search.float32_ms[kind]:.2f} ms): take it unless size matters."
            )
    return "\n".join(lines)
