"""The contents of a file as a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mobilenet_edge.records.record import ArtifactRecord
from mobilenet_edge.records.remark import Remark


@dataclass(frozen=True, kw_only=True)
class Inspection(ArtifactRecord):
    """What is inside a file.

    Attributes:
        metadata: The artifact's own, None for a foreign file.
        ops: Name and count of each kind of operator.
        bytes: Where the file's bytes go, by part; sums to `size_bytes`.
        inputs: Name, shape and element type.
        outputs: Name, shape and element type.
        versions: Of an .onnx file: its opset, its IR version and the onnxruntime that takes them; else empty.
        head_room: Of each .onnx layer whose 16-bit sums may overflow on x86 without VNNI: `layer`, its `pairs` of
            weights, the `largest` and how many are `over` the limit, null where the file does not hold the weights.
            None for a file that multiplies no integers, or not with onnxruntime.
        contradictions: Of the file with itself; commands that would run it refuse such a file.
        preflight: What a target would take of the file, None where none was asked; see docs/records.md.
    """

    kind = "inspection"

    metadata: dict[str, Any] | None
    ops: dict[str, int]
    bytes: dict[str, int]
    inputs: tuple[dict[str, Any], ...] = ()
    outputs: tuple[dict[str, Any], ...] = ()
    versions: str = ""
    head_room: tuple[dict[str, Any], ...] | None = None
    preflight: dict[str, Any] | None = None
    contradictions: tuple[Remark, ...] = ()
