"""Build or export in a worker process, by a request of plain values."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import files, schema
from mobilenet_edge.conversion import creation
from mobilenet_edge.conversion import pipeline as export
from mobilenet_edge.data.pixel_options import PixelOptions
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.model.spec import ModelSpec

FUNCTION: Final = f"{__name__}:answer"


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Build or export.

    Args:
        request: "verb" and the options of that verb. `out` is a folder on this machine, or None to return the bytes of
            the files; `data` then holds the bytes of the model.

    Returns:
        {"files": names, in order}, or {"bytes": {name: bytes}} without `out`.

    Raises:
        MnetError: As for the verbs.
    """
    if request["out"] is not None:
        artifacts = VERBS[request["verb"]](request, Path(request["out"]))
        return {"files": [artifact.path.name for artifact in artifacts]}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        if "data" in request:
            # The model was built on another machine.
            files.write_bytes(out / Path(request["model"]).name, request["data"])
            request = {**request, "model": str(out / Path(request["model"]).name)}
        artifacts = VERBS[request["verb"]](request, out)
        return {"bytes": {artifact.path.name: artifact.data for artifact in artifacts}}


def _build(request: Mapping[str, Any], out: Path) -> list[Artifact]:
    spec = schema.from_dict(ModelSpec, request["spec"])
    options = PixelOptions(**request["options"])
    model = creation.create(
        spec, weights=request["weights"], seed=request["seed"], out=out, force=request["force"], options=options
    )
    return [model]


def _export(request: Mapping[str, Any], out: Path) -> list[Artifact]:
    return export.run(
        Path(request["model"]),
        formats=request["formats"],
        precisions=request["precisions"],
        calibrate=request["calibrate"],
        count=request["count"],
        target=request["target"],
        effort=request["effort"],
        out=out,
        force=request["force"],
    )


VERBS: Final = {"build": _build, "export": _export}
