"""Make thumbnails of pictures whose answers changed, small enough to be inside the page."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from mobilenet_edge.data import folders
from mobilenet_edge.data.thumbnail import thumbnail
from mobilenet_edge.errors import InputError
from mobilenet_edge.records import Evaluation
from mobilenet_edge.report.html.confusion import MAX_PICTURES
from mobilenet_edge.text import printable

# Pictures of all files together: at most 1 MB.
MAX_THUMBNAILS: Final = 100
MAX_BYTES: Final = 7500
SIDE: Final = 128


def thumbnails(evaluations: Iterable[Evaluation], data: Path) -> dict[str, str]:
    """Return thumbnails of changed pictures as data URIs, by name.

    Args:
        evaluations: Records with comparisons.
        data: Folder of the pictures, as it was given to `mnet evaluate --data`.

    Raises:
        InputError: `data` is not a folder, or has none of the pictures.
        MissingExtraError: Pillow is not installed.
    """
    if not data.is_dir():
        raise InputError(f"{data} is not a folder; give --pictures the folder of the scored images")
    folder = folders.locate(data).folder.resolve()
    names = list(dict.fromkeys(_changed(evaluations)))
    found: dict[str, str] = {}
    for name in names:
        path = (folder / name).resolve()
        # A record may be from anywhere: it must not name other files of this machine.
        if len(found) < MAX_THUMBNAILS and path.is_relative_to(folder) and path.is_file():
            uri = _data_uri(path)
            found |= {} if uri is None else {printable(name): uri}
    if names and not found:
        places = ", ".join(dict.fromkeys(each.data for each in evaluations if each.comparisons))
        raise InputError(f"{folder} has none of the {len(names)} pictures whose answer changed; they are in {places}")
    return found


def _changed(evaluations: Iterable[Evaluation]) -> Iterator[str]:
    """Yield the names of the pictures that the page lists, so that each comparison gets some."""
    listed = [each.pictures[:MAX_PICTURES] for evaluation in evaluations for each in evaluation.comparisons]
    for place in range(MAX_PICTURES):
        yield from (pictures[place].picture for pictures in listed if place < len(pictures))


def _data_uri(path: Path) -> str | None:
    try:
        data = thumbnail(path, SIDE, MAX_BYTES)
    except InputError:  # it was replaced or damaged since
        return None
    return None if data is None else f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
