"""Versions of ONNX: what a file needs, and which onnxruntime takes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from mobilenet_edge.formats.wire.protobuf import Message

# Fields of ModelProto and OperatorSetIdProto in onnx.proto3.
_IR_VERSION, _OPSET_IMPORT, _DOMAIN, _VERSION = 1, 8, 1, 2
# The first opset whose Clip takes its limits as inputs.
_LEAST: Final = 11
# Operators that need a later one in the form we write: scales for each channel.
_SINCE: Final = {"QuantizeLinear": 13, "DequantizeLinear": 13}
# The first IR version that each opset was released with (onnx.helper.VERSION_TABLE).
IR_VERSIONS: Final[Mapping[int, int]] = {11: 6, 13: 7}
# (opset, IR version, onnxruntime), the first release that has both.
# Source: "ONNX opset support", https://onnxruntime.ai/docs/reference/compatibility.html
_RUNTIMES: Final = (
    (8, 3, "0.1"), (9, 3, "0.3"), (10, 5, "0.4"), (11, 6, "1.0"), (12, 7, "1.3"), (13, 7, "1.6"), (14, 7, "1.8"),
    (15, 8, "1.9"), (16, 8, "1.11"), (17, 8, "1.12"), (18, 8, "1.14"), (19, 8, "1.15"), (19, 9, "1.16"),
    (20, 9, "1.17"), (21, 10, "1.18"),
)  # fmt: skip


def needed(kinds: Iterable[str]) -> int:
    """Return the lowest opset that has all of these operators."""
    return max((_SINCE.get(kind, _LEAST) for kind in kinds), default=_LEAST)


def oldest_runtime(opset: int, ir_version: int) -> str | None:
    """Return the first onnxruntime release that reads a file; None where the table does not reach so far."""
    return next((name for known, ir, name in _RUNTIMES if known >= opset and ir >= ir_version), None)


def versions(model: Message) -> tuple[int, int]:
    """Read the opset of ONNX's own operators and the IR version of a ModelProto; 0 where it does not say.

    Raises:
        ValueError: They are damaged.
    """
    imports = {each.text(_DOMAIN): each.number(_VERSION) for each in model.messages(_OPSET_IMPORT)}
    return imports.get("", imports.get("ai.onnx", 0)), model.number(_IR_VERSION)


def describe(data: bytes) -> str:
    """Say which versions an .onnx file is written in, and which onnxruntime takes it."""
    opset, ir_version = versions(Message.parse(data))
    oldest = oldest_runtime(opset, ir_version)
    runtime = f"{oldest} and newer" if oldest else f"newer than {_RUNTIMES[-1][-1]}"
    return f"opset {opset}, IR version {ir_version}: onnxruntime {runtime}"
