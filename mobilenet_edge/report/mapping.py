"""Format the preflight check of a model file for the Edge TPU."""

from __future__ import annotations

from typing import Any, Final

from mobilenet_edge import units
from mobilenet_edge.report.markdown_table import Column, grid

NAME_WIDTH: Final = 40
_MEMORY: Final = {
    "yes": "they stay on the chip",
    "perhaps": "the executable uses part of that memory, so some parameters may be streamed in every inference",
    "no": "they exceed it, so the rest is streamed in every inference",
}
_COLUMNS: Final = (Column("no."), Column("operator", True), Column("output", True), Column("Edge TPU", True))


def text(preflight: dict[str, Any]) -> str:
    """Format `Preflight.to_dict()`: a summary, then every operator."""
    rows = [[str(op["index"]), op["kind"], _short(op["output"]), _verdict(op)] for op in preflight["ops"]]
    return "\n".join(_summary(preflight)) + "\n\n" + grid(_COLUMNS, rows)


def _summary(preflight: dict[str, Any]) -> list[str]:
    if preflight["compiled"]:
        return ["Edge TPU: this file is already compiled; edgetpu-custom-op contains all operators that run there."]
    lines = [
        f"Edge TPU: {preflight['mapped']} of {preflight['total']} operators are mapped, by Coral's published rules."
    ]
    if preflight["cut"] is not None:
        op_type = preflight["ops"][preflight["cut"]]["kind"]
        lines.append(
            f"The partition ends at operator {preflight['cut']}, {op_type}; operators after it run on the CPU."
        )
    if preflight["mapped"]:
        size, room = units.format_bytes(preflight["parameter_bytes"]), preflight["on_chip_bytes"] >> 20
        lines.append(f"Parameters: {size}; the chip has about {room} MiB: {_MEMORY[preflight['fits']]}.")
    if preflight["runtime"]:
        lines.append(f"It needs Edge TPU runtime {preflight['runtime']} or newer.")
    return lines


def _short(name: str) -> str:
    """Shorten the name of an output; converters join the names of fused layers, the outermost first."""
    first = name.partition(";")[0]
    return first if len(first) <= NAME_WIDTH else f"...{first[3 - NAME_WIDTH :]}"


def _verdict(op: dict[str, Any]) -> str:
    if not op["mapped"]:
        return f"no: {op['reason']}"
    return f"mapped; {op['caution']}" if op["caution"] else "mapped"
