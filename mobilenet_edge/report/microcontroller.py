"""Format what a file takes on a microcontroller, and whether a board has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from mobilenet_edge import units
from mobilenet_edge.report.markdown_table import Column, grid

_MEMORY: Final = (Column("memory", True), Column("needed"), Column("on the board"), Column("fits", True))
_OPERATORS: Final = (Column("operator", True), Column("count"), Column("TensorFlow Lite Micro", True))


def text(found: dict[str, Any]) -> str:
    """Format `Fit.to_dict()`: the memories, what was published, then the operators."""
    lines = [f"TensorFlow Lite Micro: it has {found['mapped']} of {found['total']} operators of the file."]
    if found["refusal"]:
        lines.append(f"Its interpreter was not run, or not to the end: {found['refusal']}.")
    else:
        lines += _taken(found)
    parts = ["\n".join(lines)]
    if found["board"] and not found["refusal"]:
        parts.append(_memories(found))
    parts += list(_published(found))
    return "\n\n".join([*parts, _operators(found)])


def _taken(found: dict[str, Any]) -> Iterator[str]:
    yield (
        f"Arena: {found['arena_bytes']:,} bytes, the least with which {found['interpreter']} allocates the tensors "
        "here. Its pointers are of 64 bits, a microcontroller's of 32, which takes less; optimised kernels (CMSIS-NN, "
        "ESP-NN) take more."
    )
    yield f"Flash: {found['flash_bytes']:,} bytes for the model. Code, stack and variables are not counted."


def _memories(found: dict[str, Any]) -> str:
    board = found["board"]
    note = f" ({board['note']})" if board["note"] else ""
    verdict = f"It lacks {' and '.join(found['lacks'])} there." if found["lacks"] else "It fits."
    rows = [
        ["flash", *map(units.format_bytes, (found["flash_bytes"], board["flash_bytes"])), _fits("flash", found)],
        ["RAM", *map(units.format_bytes, (found["arena_bytes"], board["ram_bytes"])), _fits("RAM", found)],
    ]
    return (
        f"{board['name']}: {board['mcu']}, {board['core']}{note}. {verdict}\n\n{grid(_MEMORY, rows)}\n\n"
        f"Memories of the board: {board['source']}."
    )


def _fits(memory: str, found: dict[str, Any]) -> str:
    return "no" if memory in found["lacks"] else "yes"


def _published(found: dict[str, Any]) -> Iterator[str]:
    if found["published"]:
        rows = "; ".join(
            f"{row['ms']:.1f} ms with {row['software']} at {row['clock']} ({row['submitter']}, v{row['version']})"
            for row in found["published"]
        )
        yield f"Published by MLPerf Tiny for this shape on this board, with its own weights: {rows}."


def _operators(found: dict[str, Any]) -> str:
    kinds, reasons = [op["kind"] for op in found["ops"]], {op["kind"]: op["reason"] for op in found["ops"]}
    rows = [[kind, str(kinds.count(kind)), f"no: {reasons[kind]}" if reasons[kind] else "yes"] for kind in reasons]
    return grid(_OPERATORS, rows)
