"""A chunk of images, put to several models: what a process of a crew is asked for, in plain values.

The process may be on another machine, where the files are not, or others of the same name. It then says so, and is
asked again with the bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from mobilenet_edge.data import images
from mobilenet_edge.errors import InputError
from mobilenet_edge.evaluation.panel import Kept, Panel, written

FUNCTION: Final = f"{__name__}:answer"
KEPT: Final = Kept()


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Decode images and put them to models.

    Args:
        request: `models` (paths) and their `digests` (SHA-256, hex); `threads` within one inference; the `folder` of
            the images and their `names` in it, none to open the models alone; `whole` asks for the outputs of
            every model. Where this may be another machine, the `sizes` of the images, see `sizes`; after an answer that
            lacked them, instead the bytes of the images (None for one that cannot be read) under `images`, those of the
            models under `files`.

    Returns:
        {"lacks": "images" or "models"} where this process does not see the same files, else {"facts": as
        `Panel.facts`, "readable": whether each image could be read, "reason": why the first could not be, "top": for
        each readable image and each model the best outputs, "outputs": likewise the outputs, or None where those are
        not needed}.

    Raises:
        MnetError: As `Panel`.
    """
    folder, names = Path(request["folder"]), request["names"]
    if "sizes" in request and sizes(folder, names) != request["sizes"]:
        return {"lacks": "images"}
    key = (*request["digests"], request["threads"])
    panel = KEPT.take(key) or _open(request)
    if panel is None:
        return {"lacks": "models"}
    try:
        made = _answer(panel, [folder / name for name in names], request)
    except BaseException:
        panel.close()
        raise
    KEPT.give(key, panel)
    return made


def sizes(folder: Path, names: Sequence[str]) -> list[int | None]:
    """Return the sizes of files in bytes, by which two machines see whether they mean the same; None for none."""
    return [_size(folder / name) for name in names]


def _size(path: Path) -> int | None:
    with suppress(OSError):
        return path.stat().st_size
    return None


def _open(request: Mapping[str, Any]) -> Panel | None:
    paths = [Path(each) for each in request["models"]]
    if "files" in request:
        with written([path.name for path in paths], request["files"]) as copies:
            # Every runtime has read its file once it is open.
            return Panel(copies, request["threads"])
    if [_digest(path) for path in paths] != request["digests"]:
        return None
    return Panel(paths, request["threads"])


def _digest(path: Path) -> str | None:
    with suppress(OSError):
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return None


def _answer(panel: Panel, paths: Sequence[Path], request: Mapping[str, Any]) -> dict[str, Any]:
    readable, answers, reason = [], [], None
    for path, data in zip(paths, request.get("images") or [None] * len(paths), strict=True):
        try:
            image = images.decode(path, data)
        except InputError as error:
            readable.append(False)
            reason = reason or str(error)
        else:
            readable.append(True)
            answers.append(panel.answer(image, request.get("whole", False)))
    return {
        "facts": panel.facts(),
        "readable": readable,
        "reason": reason,
        "top": [[each.best.tolist() for each in image] for image in answers],
        "outputs": [[None if each.outputs is None else each.outputs.tolist() for each in image] for image in answers],
    }
