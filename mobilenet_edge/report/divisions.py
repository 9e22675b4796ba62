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
    """Say of each mixed file whether it is nearer to the float model than int8, or faster.

    Without an int8 sibling among the files, int8 is what the search measured.
    """
    for mixed in artifacts:
        if mixed.precision != "mixed":
            continue
        sibling = next((file for file in artifacts if _is_sibling(mixed, file)), None)
        nearer = _nearer_in_search(mixed, search) if sibling is None else _nearer(mixed, sibling)
        if facts := [*nearer, *_faster(mixed, search)]:
            int8 = "int8" if sibling is None else printable(sibling.path.name)
            yield f"{printable(mixed.path.name)}, compared with {int8}, is {' and '.join(facts)}."


def _is_sibling(mixed: Artifact, file: Artifact) -> bool:
    uncompiled = file.metadata is not None and file.metadata.compilation is None
    return (file.precision, file.format) == ("int8", mixed.format) and uncompiled


def _nearer(mixed: Artifact, int8: Artifact) -> Iterator[str]:
    figures = [file.metadata.agreement.snr_db for file in (mixed, int8) if file.metadata and file.metadata.agreement]
    if len(figures) == 2 and figures[0] > figures[1]:
        yield f"nearer to the float model ({figures[0]:.1f} against {figures[1]:.1f} dB)"


def _nearer_in_search(mixed: Artifact, search: Search | None) -> Iterator[str]:
    snrs = [point.snr_db for point in _pair(mixed, search)]
    if len(snrs) == 2 and snrs[0] is not None and snrs[1] is not None and snrs[0] > snrs[1]:
        yield f"nearer to the float model ({snrs[0]:.1f} against {snrs[1]:.1f} dB on views of held-out pictures)"


def _faster(mixed: Artifact, search: Search | None) -> Iterator[str]:
    times = [point.ms[mixed.format] for point in _pair(mixed, search)]
    if times and times[0] < times[1]:
        yield f"faster by estimate ({times[0]:.2f} against {times[1]:.2f} ms)"


def _pair(mixed: Artifact, search: Search | None) -> list[Point]:
    """Return the point of a file and that of all int8; none without a search."""
    if search is None or mixed.format not in search.chosen:
        return []
    cut = search.chosen[mixed.format].cut
    return [*(point for point in search.points if point.cut == cut), search.points[0]]


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
