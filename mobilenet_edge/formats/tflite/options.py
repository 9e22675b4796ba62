"""The options of TFLite operators that someone asks about: where each stands in its table in schema.fbs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from mobilenet_edge.formats.wire.flatbuffer import Table


class Option(NamedTuple):
    """A scalar field: its place in the table, the struct code of its type, and what its absence means."""

    field: int
    form: str
    default: int = 0


_FUSED = "fused_activation"
_OPTIONS: Final[Mapping[str, Mapping[str, Option]]] = {
    "AVERAGE_POOL_2D": {
        "padding": Option(0, "b"),
        "filter_w": Option(3, "i"),
        "filter_h": Option(4, "i"),
        _FUSED: Option(5, "b"),
    },
    "CONCATENATION": {_FUSED: Option(1, "b")},
    "CONV_2D": {"dilation_w": Option(4, "i", 1), "dilation_h": Option(5, "i", 1)},
    "DEPTHWISE_CONV_2D": {
        "stride_w": Option(1, "i"),
        "stride_h": Option(2, "i"),
        "dilation_w": Option(5, "i", 1),
        "dilation_h": Option(6, "i", 1),
    },
    "FULLY_CONNECTED": {"weights_format": Option(1, "b")},
    "MAX_POOL_2D": {_FUSED: Option(5, "b")},
    "PACK": {"axis": Option(1, "i")},
    "RESIZE_BILINEAR": {"align_corners": Option(2, "b"), "half_pixel_centers": Option(3, "b")},
    "RESIZE_NEAREST_NEIGHBOR": {"align_corners": Option(0, "b"), "half_pixel_centers": Option(1, "b")},
    "STRIDED_SLICE": {"ellipsis_mask": Option(2, "i"), "new_axis_mask": Option(3, "i")},
}


def read(kind: str, table: Table | None) -> dict[str, int]:
    """Read an operator's options; without a table they are the schema's defaults."""
    wanted = _OPTIONS.get(kind, {})
    if table is None:
        return {name: option.default for name, option in wanted.items()}
    return {name: table.number(*option) for name, option in wanted.items()}
