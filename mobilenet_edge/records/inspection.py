"""Record of the contents of a model file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from mobilenet_edge.records.record import ArtifactRecord, check_keys
from mobilenet_edge.records.remark import Remark

# What a preflight for a microcontroller says of memory; all None where the interpreter was not run.
_FOOTPRINT: Final = {"flash_bytes": int | None, "arena_bytes": int | None, "interpreter": str | None}


@dataclass(frozen=True, kw_only=True)
class Inspection(ArtifactRecord):
    """Contents of a model file.

    Attributes:
        metadata: Metadata in the file; None for a foreign file.
        ops: Number of operators by type.
        bytes: Bytes by part of the file; they sum to `size_bytes`.
        inputs: Name, shape and element type of each.
        outputs: Name, shape and element type of each.
        versions: For .onnx files, the opset, the IR version and the oldest onnxruntime that supports them; else empty.
        head_room: For each .onnx layer whose 16-bit sums may overflow on x86 without VNNI: `layer`, the number of
            weight `pairs`, the `largest` pair and the number `over` the limit of 128 (all three None if the file does
            not hold the weights); None for files without integer products and for other formats.
        preflight: What `--target` supports of the file; None without it.
        contradictions: Contradictions within the file; `mnet profile` and `mnet evaluate` refuse such a file.
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

    def __post_init__(self) -> None:
        super().__post_init__()
        preflight = self.preflight or {}
        check_keys("preflight", preflight, _FOOTPRINT)
        if preflight.get("arena_bytes") is not None and any(preflight.get(key) is None for key in _FOOTPRINT):
            raise ValueError(f"a preflight with arena_bytes has {', '.join(_FOOTPRINT)}")
