"""A chunk of images, put to several models: what a process of a pool is asked for, in plain values.

The process may be on another machine, where the files are not, or others of the same name. It then says so, and is
asked again with the bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from mobilenet_edge.data import images, prepare
from mobilenet_edge.data.pixel_options import PixelOptions
from mobilenet_edge.errors import InputError
from mobilenet_edge.evaluation.classifier import Answer
from mobilenet_edge.evaluation.model_pool import IdlePool, ModelPool, written
from mobilenet_edge.hosts.place import Place

FUNCTION: Final = f"{__name__}:answer"
IDLE: Final = IdlePool()
# Images that go to a model at once.
TOGETHER: Final = 25


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Decode images and put them to models.

    Args:
        request: `models` (paths) and their `digests` (SHA-256, hex); `places`, where each runs, as fields of a `Place`
            or None for this machine; `threads` within one inference; the `folder` of the images and their `names`, none
            to open the models alone; `options` as those of `PixelOptions`, and `others`, of each of which the
            first answers are asked too; `whole` asks for the outputs of every model. Where this may be another machine,
            the `sizes` of the images, see `sizes`; after an answer that lacked them, instead the bytes of the images
            (None for one that cannot be read) under `images`, those of the models under `files`.

    Returns:
        {"lacks": "images" or "models"} where this process does not see the same files, else {"facts": as
        `ModelPool.facts`, "readable": whether each image could be read, "reason": why the first could not be, "top":
        for each readable image and each model the best outputs, "outputs": likewise the outputs, or None where they
        are not needed, "others": likewise the first answer under each of `others`}.

    Raises:
        MnetError: As `ModelPool`.
    """
    folder, names = Path(request["folder"]), request["names"]
    if "sizes" in request and sizes(folder, names) != request["sizes"]:
        return {"lacks": "images"}
    key = json.dumps([request.get(name) for name in ("digests", "places", "threads", "options")])
    models = IDLE.acquire(key) or _open(request)
    if models is None:
        return {"lacks": "models"}
    try:
        made = _answer(models, [folder / name for name in names], request)
    except BaseException:
        models.close()
        raise
    IDLE.release(key, models)
    return made


def sizes(folder: Path, names: Sequence[str]) -> list[int | None]:
    """Return the sizes of files in bytes, by which two machines see whether they mean the same; None for none."""
    return [_size(folder / name) for name in names]


def _size(path: Path) -> int | None:
    with suppress(OSError):
        return path.stat().st_size
    return None


def _open(request: Mapping[str, Any]) -> ModelPool | None:
    paths = [Path(each) for each in request["models"]]
    options = PixelOptions(**request.get("options", {}))
    if "files" in request:
        with written([path.name for path in paths], request["files"]) as copies:
            # Every runtime has read its file once it is open.
            return ModelPool(copies, request["threads"], options)
    if [_digest(path) for path in paths] != request["digests"]:
        return None
    places = [place and Place.load(place) for place in request.get("places", [None] * len(paths))]
    return ModelPool(paths, request["threads"], options, places)


def _digest(path: Path) -> str | None:
    with suppress(OSError):
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return None


def _answer(models: ModelPool, paths: Sequence[Path], request: Mapping[str, Any]) -> dict[str, Any]:
    others = [PixelOptions(**each) for each in request.get("others", ())]
    fittings = models.fittings(others)
    answers: list[list[Answer]] = []
    under: list[list[list[int | None]]] = []
    reasons: list[str | None] = []
    files = list(zip(paths, request.get("images") or [None] * len(paths), strict=True))
    for start in range(0, len(files), TOGETHER):
        inputs = []
        for path, data in files[start : start + TOGETHER]:
            try:
                image = images.decode(path, data)
            except InputError as error:
                reasons.append(str(error))
            else:
                inputs.append({fitting: prepare.fit(image, fitting) for fitting in fittings})
                reasons.append(None)
        answers += models.answer(inputs, request.get("whole", False))
        by_rule = [models.answer_under(inputs, options) for options in others]
        under += [[rule[place] for rule in by_rule] for place in range(len(inputs))]
    return {
        "facts": models.facts(),
        "readable": [reason is None for reason in reasons],
        "reason": next(filter(None, reasons), None),
        "top": [[each.best.tolist() for each in image] for image in answers],
        "outputs": [[None if each.outputs is None else each.outputs.tolist() for each in image] for image in answers],
        "others": under,
    }
