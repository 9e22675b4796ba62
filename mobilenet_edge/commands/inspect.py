"""`mnet inspect`: show the contents of model files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mobilenet_edge.conversion import ethos
from mobilenet_edge.conversion.coral import preflight
from mobilenet_edge.conversion.ethos import fallback
from mobilenet_edge.conversion.micro import boards, fit
from mobilenet_edge.conversion.micro.boards import Board
from mobilenet_edge.errors import UsageError
from mobilenet_edge.formats import artifact, contradictions
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.contents import Tensor
from mobilenet_edge.formats.onnx import opset
from mobilenet_edge.formats.onnx.products import Product, matrix, products
from mobilenet_edge.records import Inspection


def run(paths: Sequence[Path], target: str | None = None, board: str | None = None) -> list[Inspection]:
    """Read model files, without a runtime but for the target "tflm".

    Args:
        paths: Model files.
        target: "edgetpu" or an Ethos-U to list the operators that it supports, "tflm" for those of TensorFlow Lite for
            Microcontrollers, whose interpreter is run where it is installed.
        board: A key of `boards.BOARDS`, whose memories the file is held to; for the target "tflm".

    Raises:
        InputError: A file is missing or is not a complete model.
        MnetError: As `fit.check` says.
        UsageError: The target cannot run the format of a file, or there is no such board.
    """
    if board is not None and target != "tflm":
        raise UsageError("--board is about microcontrollers; add --target tflm")
    held_to = None if board is None else boards.find(board)
    return [_inspect(artifact.read(path), target, held_to) for path in artifact.find(paths)]


def exit_code(records: Sequence[Inspection]) -> int:
    """Return 1 if a board was asked about and a file does not run on it, else 0."""
    held = [record.preflight for record in records if record.preflight and record.preflight.get("board")]
    return int(any(found["lacks"] != [] for found in held))


def _inspect(model: Artifact, target: str | None, board: Board | None) -> Inspection:
    if target is not None and model.format != "tflite":
        raise UsageError(
            f"{model.path} is not a .tflite file; --target {target} needs one, from mnet export --format tflite"
        )
    contents = model.contents
    return Inspection(
        **model.identity(),
        metadata=json.loads(model.metadata.to_json()) if model.metadata else None,
        ops=contents.ops,
        bytes=contents.sections,
        inputs=tuple(_describe(contents.tensors[name]) for name in contents.inputs),
        outputs=tuple(_describe(contents.tensors[name]) for name in contents.outputs),
        versions=opset.describe(model.data) if model.format == "onnx" else "",
        contradictions=contradictions.find(model),
        head_room=_head_room(model),
        preflight=_preflight(model, target, board) if target else None,
    )


def _preflight(model: Artifact, target: str, board: Board | None) -> dict[str, Any]:
    if target == "tflm":
        spec = model.metadata.spec if model.metadata else None
        return fit.check(model.path, model.data, model.contents, spec, board).to_dict()
    if ethos.is_accelerator(target):
        return fallback.check(model.contents, target).to_dict()
    return preflight.check(model.contents).to_dict()


def _head_room(model: Artifact) -> tuple[dict[str, Any], ...] | None:
    """Compute the head room of each layer with 16-bit sums on x86 without VNNI; None without integer products."""
    layers = products(model.contents) if model.format == "onnx" else ()
    return tuple(_pairs(layer) for layer in layers if layer.sixteen_bit) if layers else None


def _pairs(product: Product) -> dict[str, Any]:
    from mobilenet_edge.quantise import saturation

    try:
        room = asdict(saturation.head_room(matrix(product)))
    except ValueError:
        # The weights are in another file, or onnxruntime quantises them when it loads the model.
        room = dict.fromkeys(("pairs", "largest", "over"))
    return {"layer": product.name, **room}


def _describe(tensor: Tensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "scale": tensor.scales[0] if tensor.scales else None,
        "zero_point": tensor.zero_points[0] if tensor.zero_points else None,
    }
