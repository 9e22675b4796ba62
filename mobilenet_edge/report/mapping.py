"""What the Edge TPU would take of a model file, for reading."""

from __future__ import annotations

from typing import Any, Final

from mobilenet_edge import units
from mobilenet_edge.report.markdown_table import Column, grid

NAME_WIDTH: Final = 40
_MEMORY: Final = {
    "yes": "they stay on the chip",
    "perhaps": "the executable takes part of that memory, so some may be streamed at every inference",
    "no": "more than the chip holds, so the rest is streamed at every inference",
}
_COLUMNS: Final = (Column("no."), Column("operator", True), Column("makes", True), Column("Edge TPU", True))


def text(found: dict[str, Any]) -> str:
    """Lay out `Preflight.to_dict()`: the verdict in a sentence or two, then every operator."""
    rows = [[str(op["index"]), op["kind"], _short(op["output"]), _verdict(op)] for op in found["ops"]]
    return "\n".join(_summary(found)) + "\n\n" + grid(_COLUMNS, rows)


def _summary(found: dict[str, Any]) -> list[str]:
    if found["compiled"]:
        return ["Edge TPU: this file is compiled already; edgetpu-custom-op stands for all that runs there."]
    lines = [f"Edge TPU: {found['mapped']} of {found['total']} operators are mapped, by Coral's published rules."]
    if found["cut"] is not None:
        kind = found["ops"][found["cut"]]["kind"]
        lines.append(
            f"The one partition is cut at operator {found['cut']}, {kind}; what needs its result runs on the CPU."
        )
    if found["mapped"]:
        size, room = units.format_bytes(found["parameter_bytes"]), found["on_chip_bytes"] >> 20
        lines.append(f"Parameters: {size}; the chip has about {room} MiB: {_MEMORY[found['fits']]}.")
    if found["runtime"]:
        lines.append(f"It needs Edge TPU runtime {found['runtime']} or newer.")
    return lines


def _short(name: str) -> str:
    """The end of a long name: converters join those of all layers that they fused, the outermost first."""
    first = name.partition(";")[0]
    return first if len(first) <= NAME_WIDTH else f"...{first[3 - NAME_WIDTH :]}"


def _verdict(each: dict[str, Any]) -> str:
    if not each["mapped"]:
        return f"no: {each['reason']}"
    return f"mapped; {each['caution']}" if each["caution"] else "mapped"
