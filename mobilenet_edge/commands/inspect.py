"""`mnet inspect`: what is inside a model file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mobilenet_edge.conversion.coral import preflight
from mobilenet_edge.errors import UsageError
from mobilenet_edge.formats import artifact, contradictions
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.contents import Tensor
from mobilenet_edge.formats.onnx import opset
from mobilenet_edge.formats.onnx.products import Product, matrix, products
from mobilenet_edge.records import Inspection


def run(paths: Sequence[Path], target: str | None = None) -> list[Inspection]:
    """Read files, without a runtime.

    Args:
        paths: Model files.
        target: "edgetpu" to tell what the Edge TPU would take of them.

    Raises:
        InputError: A file is missing or is not a whole model.
        UsageError: A file that the target cannot run in any case.
    """
    return [_inspect(artifact.read(path), target) for path in artifact.find(paths)]


def _inspect(found: Artifact, target: str | None) -> Inspection:
    if target is not None and found.format != "tflite":
        raise UsageError(f"{found.path} is no .tflite file, and --target {target} takes no other; export one")
    contents = found.contents
    return Inspection(
        **found.identity(),
        metadata=json.loads(found.metadata.to_json()) if found.metadata else None,
        ops=contents.ops,
        bytes=contents.sections,
        inputs=tuple(_end(contents.tensors[name]) for name in contents.inputs),
        outputs=tuple(_end(contents.tensors[name]) for name in contents.outputs),
        versions=opset.describe(found.data) if found.format == "onnx" else "",
        contradictions=contradictions.find(found),
        head_room=_head_room(found),
        preflight=preflight.check(contents).to_dict() if target else None,
    )


def _head_room(found: Artifact) -> tuple[dict[str, Any], ...] | None:
    """Of each layer whose kernels add in 16 bits on x86 without VNNI; None where no integers are multiplied."""
    known = products(found.contents) if found.format == "onnx" else ()
    return tuple(_pairs(each) for each in known if each.sixteen_bit) if known else None


def _pairs(product: Product) -> dict[str, Any]:
    from mobilenet_edge.quantise import saturation

    try:
        room = asdict(saturation.head_room(matrix(product)))
    except ValueError:
        # The weights are in another file, or are quantised when the model is loaded.
        room = dict.fromkeys(("pairs", "largest", "over"))
    return {"layer": product.name, **room}


def _end(tensor: Tensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "scale": tensor.scales[0] if tensor.scales else None,
        "zero_point": tensor.zero_points[0] if tensor.zero_points else None,
    }
