"""Put together what a vendor's compiler asks for: the float model, calibration tensors, and how pixels become them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge.bundle import folder, guide
from mobilenet_edge.bundle.deployment import Deployment
from mobilenet_edge.errors import UsageError
from mobilenet_edge.evaluation.tensors import image_input
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.formats.tflite.task_metadata import normalisation
from mobilenet_edge.records import Record


def require_float(artifact: Artifact) -> None:
    """Refuse files that compilers do not start from.

    Raises:
        UsageError: It is no .onnx file, or its weights or its input are not float32.
    """
    if artifact.format != "onnx" or {artifact.precision, image_input(artifact).dtype} != {"float32"}:
        raise UsageError(
            f"{artifact.path} is {artifact.precision} {artifact.format}, but compilers start from float32 ONNX; write "
            "it with mnet export --format onnx --precision float32"
        )


def contents(
    model: Deployment, pixels: NDArray[np.uint8], tensors: NDArray[np.float32], records: Sequence[Record]
) -> dict[str, bytes]:
    """Return the files of a hand-over, by their place in it.

    Args:
        model: The float model.
        pixels: (n, height, width, channels) of the calibration pictures, fitted, in the rule's order of colours.
        tensors: The same as the model's input: (n, *shape of one input).
        records: Of which those of the file are shown.
    """
    rule = model.rule
    mean, std = normalisation(rule)
    facts = {
        **folder.origin(model.artifact),
        "preprocess": asdict(rule),
        "mean": list(mean),
        "std": list(std),
        "input": {"name": model.artifact.contents.inputs[0], "shape": list(model.input.shape), "dtype": "float32"},
        "output": {"name": model.artifact.contents.outputs[0], "meaning": model.head.value},
    }
    return {
        model.file: model.artifact.data,
        "labels.txt": folder.labels(model),
        "calibration.npy": _npy(tensors),
        "calibration_pixels.npy": _npy(pixels),
        folder.FACTS: (json.dumps(facts, indent=1) + "\n").encode(),
        "README.md": guide.write(model, records, "HANDOVER.md.in").encode(),
    }


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
