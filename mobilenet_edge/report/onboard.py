"""Keep the rows whose files fit a microcontroller board, by the arenas that `mnet inspect` found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mobilenet_edge import units
from mobilenet_edge.conversion.micro.boards import Board
from mobilenet_edge.conversion.micro.footprint import Footprint
from mobilenet_edge.errors import InputError, MnetError
from mobilenet_edge.records import Inspection, Record
from mobilenet_edge.report.rows import Row


def keep(rows: Sequence[Row], records: Iterable[Record], board: Board) -> tuple[list[Row], tuple[str, ...]]:
    """Return the rows that fit a board, and sentences about those that do not and about the board.

    Args:
        rows: The rows.
        records: Among them the inspections of their files, made with --target tflm.
        board: The board.

    Raises:
        InputError: No file was inspected.
        MnetError: None fits.
    """
    taken = _footprints(records)
    known = {digest: taken[digest] for row in rows if (digest := _digest(row)) in taken}
    if not known:
        raise InputError(
            f"it is not known what these files take on {board.name}; find out with: mnet inspect FILE.tflite --target "
            "tflm --json FILE.json, and give that file too"
        )
    fitting = {sha256 for sha256, taken in known.items() if not taken.lacks(board)}
    if not fitting:
        least = min(known.values(), key=lambda taken: taken.arena_bytes)
        raise MnetError(
            f"no file fits {board.name}: the smallest arena is {units.format_bytes(least.arena_bytes)} with "
            f"{units.format_bytes(least.flash_bytes)} of flash, and the board has "
            f"{units.format_bytes(board.ram_bytes)} and {units.format_bytes(board.flash_bytes)}; export a smaller "
            "--rho or --alpha"
        )
    kept = [row for row in rows if _digest(row) in fitting]
    unknown = sum(_digest(row) not in known for row in rows)
    return kept, tuple(_notes(len(rows), len(kept), unknown, board))


def _notes(total: int, kept: int, unknown: int, board: Board) -> Iterator[str]:
    yield (
        f"{kept} of {total} rows fit {board.name} ({units.format_bytes(board.flash_bytes)} of flash, "
        f"{units.format_bytes(board.ram_bytes)} of RAM); latencies are those of the machine below, not of the board."
    )
    if unknown:
        yield f"{unknown} rows were left out: what they take there was not inspected with --target tflm."


def _footprints(records: Iterable[Record]) -> dict[str, Footprint]:
    """Return what files take, by their digest; the last inspection counts."""
    found = ((record.sha256, record.preflight) for record in records if isinstance(record, Inspection))
    return {
        sha256: Footprint(taken["flash_bytes"], taken["arena_bytes"], taken["interpreter"])
        for sha256, taken in found
        if taken and taken.get("target") == "tflm" and taken.get("arena_bytes") is not None
    }


def _digest(row: Row) -> str:
    return row.artifact.sha256 if row.artifact else ""
