"""Describe the head room of an .onnx file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mobilenet_edge.quantise.rounding import MAX_PAIR

_WHERE: Final = "x86 without VNNI"


def facts(head_room: Sequence[dict[str, Any]] | None) -> list[str]:
    """Return lines about possible 16-bit overflow.

    Args:
        head_room: `head_room` of an `Inspection`.
    """
    if head_room is None:
        return []
    known = [layer for layer in head_room if layer["pairs"] is not None]
    lines = [_verdict(known)] if known or not head_room else []
    if hidden := len(head_room) - len(known):
        lines.append(
            f"{_WHERE}: whether 16 bits overflow in {_layers(hidden)} depends on weights that are not in the file"
        )
    return lines


def _verdict(layers: Sequence[dict[str, Any]]) -> str:
    if not layers:
        return f"{_WHERE}: no layer uses 16-bit sums, so none can overflow"
    worst = max(layers, key=lambda layer: int(layer["largest"]))
    over = [layer for layer in layers if layer["over"]]
    if not over:
        return f"{_WHERE}: no 16-bit overflow possible; largest pair {worst['largest']} of {MAX_PAIR}"
    pairs, excess = sum(layer["pairs"] for layer in layers), sum(layer["over"] for layer in layers)
    return (
        f"{_WHERE}: 16-bit overflow possible in {len(over)} of {_layers(len(layers))}: {excess} of {pairs} pairs above "
        f"{MAX_PAIR}, up to {worst['largest']} in {worst['layer']}; export it with mnet, "
        "or set session.x64quantprecision to 1 in onnxruntime"
    )


def _layers(count: int) -> str:
    return "1 layer" if count == 1 else f"{count} layers"
