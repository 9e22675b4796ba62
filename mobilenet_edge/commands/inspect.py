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
from mobilenet_edge.errors import UsageError
from mobilenet_edge.formats import artifact, contradictions
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.contents import Tensor
from mobilenet_edge.formats.onnx import opset
from mobilenet_edge.formats.onnx.products import Product, matrix, products
from mobilenet_edge.records import Inspection


def run(paths: Sequence[Path], target: str | None = None) -> list[Inspection]:
    """Read model files, without a runtime.

    Args:
        paths: Model files.
        target: "edgetpu" to list the operators that the Edge TPU supports, or an Ethos-U.

    Raises:
        InputError: A file is missing or is not a complete model.
        UsageError: The target cannot run the format of a file.
    """
    return [_inspect(artifact.read(path), target) for path in artifact.find(paths)]


def _inspect(model: Artifact, target: str | None) -> Inspection:
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
        preflight=_preflight(model, target) if target else None,
    )


def _preflight(model: Artifact, target: str) -> dict[str, Any]:
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
