"""Build, train or export in a worker process, by a request of plain values."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from mobilenet_edge import files, records, schema
from mobilenet_edge.conversion import creation
from mobilenet_edge.conversion import pipeline as export
from mobilenet_edge.data.pixel_options import PixelOptions
from mobilenet_edge.errors import InputError
from mobilenet_edge.formats.artifact import Artifact
from mobilenet_edge.model.spec import ModelSpec
from mobilenet_edge.training import trainer
from mobilenet_edge.training.arguments import Arguments

FUNCTION: Final = f"{__name__}:answer"


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Build, train or export.

    Args:
        request: "verb" and the options of that verb. `out` is a folder on this machine, or None to return the contents
            of the files; `data` then holds the bytes of the model.

    Returns:
        {"files": names, in order}, or {"bytes": {name: bytes}} without `out`; of training, also {"record": JSON}.

    Raises:
        MnetError: As for the verbs.
    """
    if request["verb"] == "train":
        return _train(request)
    if request["out"] is not None:
        return {"files": list(_written(VERBS[request["verb"]](request, Path(request["out"]))))}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        if "data" in request:
            # The model was built on another machine.
            files.write_bytes(out / Path(request["model"]).name, request["data"])
            request = {**request, "model": str(out / Path(request["model"]).name)}
        return {"bytes": _written(VERBS[request["verb"]](request, out))}


def _written(made: list[Artifact]) -> dict[str, bytes]:
    """Return the content of artifacts by name, and of what an export wrote beside them."""
    sources = made.sources if isinstance(made, export.Files) else ()
    beside = {path.name: data for source in sources for path, data in source.contents.items()}
    return {artifact.path.name: artifact.data for artifact in made} | beside


def _build(request: Mapping[str, Any], out: Path) -> list[Artifact]:
    spec = schema.from_dict(ModelSpec, request["spec"])
    options = PixelOptions(**request["options"])
    model = creation.create(
        spec, weights=request["weights"], seed=request["seed"], out=out, force=request["force"], options=options
    )
    return [model]


def _train(request: Mapping[str, Any]) -> dict[str, Any]:
    """Train; of a budget that is not the final one only the record is returned."""
    name = f"{request['name']}.keras"
    with tempfile.TemporaryDirectory() as folder:
        here = request["final"] and request["out"] is not None
        out = Path(request["out"] if here else folder)
        record = trainer.train(Path(request["data"]), _options(request), out=out, force=request["force"])
        if record.split != request["split"]:
            raise InputError(
                f"{request['data']} holds other pictures for this worker than for the sweep; give it the same folder"
            )
        data = {} if here or not request["final"] else {"bytes": {name: files.read_bytes(out / name)}}
        home = replace(record, artifact=str(Path(request["home"], name)))
        return {"files": [name] if request["final"] else [], **data, "record": records.dumps([home])}


def _options(request: Mapping[str, Any]) -> Arguments:
    options = request["options"]
    return Arguments(**{**options, "teacher": options["teacher"] and Path(options["teacher"])})


def _export(request: Mapping[str, Any], out: Path) -> list[Artifact]:
    calibrate, count = request["calibrate"], request["count"]
    if isinstance(calibrate, list):
        calibrate = trainer.inputs(Path(request["model"]), [Path(path) for path in calibrate])
    return export.run(
        Path(request["model"]),
        formats=request["formats"],
        precisions=request["precisions"],
        calibrate=calibrate,
        count=count,
        target=request["target"],
        effort=request["effort"],
        out=out,
        force=request["force"],
    )


VERBS: Final = {"build": _build, "export": _export}
