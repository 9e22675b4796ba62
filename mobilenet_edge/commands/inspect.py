"""`mnet inspect`: what is inside a model file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mobilenet_edge import artifact
from mobilenet_edge.artifact import Artifact
from mobilenet_edge.artifact.contents import Tensor
from mobilenet_edge.records import Inspection


def run(paths: Sequence[Path]) -> list[Inspection]:
    """Read files, without a runtime.

    Raises:
        InputError: A file is missing or is not a whole model.
    """
    return [_inspect(artifact.read(path)) for path in paths]


def _inspect(found: Artifact) -> Inspection:
    contents = found.contents
    return Inspection(
        **found.identity(),
        metadata=json.loads(found.metadata.to_json()) if found.metadata else None,
        ops=contents.ops,
        bytes=contents.sections,
        inputs=tuple(_end(contents.tensors[name]) for name in contents.inputs),
        outputs=tuple(_end(contents.tensors[name]) for name in contents.outputs),
    )


def _end(tensor: Tensor) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "scale": tensor.scales[0] if tensor.scales else None,
        "zero_point": tensor.zero_points[0] if tensor.zero_points else None,
    }
