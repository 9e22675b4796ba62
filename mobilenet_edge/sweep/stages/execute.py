"""One stage of a sweep in a process of its own: build or export, asked for in plain values."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import files, schema
from mobilenet_edge.conversion import creation
from mobilenet_edge.conversion import pipeline as export
from mobilenet_edge.data.options import PixelOptions
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.model.spec import ModelSpec

FUNCTION: Final = f"{__name__}:answer"


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Build or export.

    Args:
        request: "verb", and what that verb takes. `out` is a folder of this machine, or None to get the files' bytes
            back; `data` then holds those of the model.

    Returns:
        {"files": names, in order}, or {"bytes": {name: bytes}} where there is no `out`.

    Raises:
        MnetError: As the verbs.
    """
    if request["out"] is not None:
        made = MAKERS[request["verb"]](request, Path(request["out"]))
        return {"files": [each.path.name for each in made]}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        if "data" in request:
            # A model that was built elsewhere.
            files.write_bytes(out / Path(request["model"]).name, request["data"])
            request = {**request, "model": str(out / Path(request["model"]).name)}
        made = MAKERS[request["verb"]](request, out)
        return {"bytes": {each.path.name: each.data for each in made}}


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


MAKERS: Final = {"build": _build, "export": _export}
