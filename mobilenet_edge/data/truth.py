"""Which labels each image has, where a folder for each class cannot say so: a table or a JSON object of files."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mobilenet_edge import files
from mobilenet_edge.data import folders, images
from mobilenet_edge.data.labels import Labels, key
from mobilenet_edge.errors import InputError

FILES: Final = ("truth.csv", "truth.json", "labels.csv", "labels.json", "_classes.csv")
_FLAGS: Final = frozenset(("0", "1", "0.0", "1.0", "true", "false"))
_SUFFIXES: Final = tuple(sorted(images.SUFFIXES))
_ADVICE: Final = "write a line for each image: cats/1.jpg,cat|sofa"


@dataclass(frozen=True)
class Truth:
    """The labels of images.

    Attributes:
        source: The file, for messages.
        names: Labels by the image's name; by path below the image folder, or by file name alone.
        classes: The names of all columns of a table of flags, None of any other file.
    """

    source: str
    names: Mapping[str, tuple[str, ...]]
    classes: tuple[str, ...] | None = None

    def of(self, chosen: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the labels of each image, named as `images.names` does.

        Raises:
            InputError: One is not listed.
        """
        found = [self.names.get(name, self.names.get(name.rpartition("/")[2])) for name in chosen]
        lacking = [name for name, entry in zip(chosen, found, strict=True) if entry is None]
        if lacking:
            raise InputError(
                f"{self.source} does not list {lacking[0]} ({len(lacking)} of {len(chosen)} images are not listed); "
                "list it, with no label if it has none, or move it away"
            )
        return [entry for entry in found if entry is not None]

    def labels(self) -> Labels:
        """Take the columns, or else all names in sorted order, for the classes."""
        lines = self.classes or tuple(sorted({name for names in self.names.values() for name in names}))
        return Labels(lines, f"the {'columns' if self.classes else 'names'} in {self.source}", assumed=True)

    def matrix(self, chosen: Sequence[str], labels: Labels) -> NDArray[np.bool_]:
        """Mark which of the labels each image has: (images, labels).

        Raises:
            InputError: An image is not listed, or has a label that is none of them.
        """
        classes = labels.by_name()
        marks = np.zeros((len(chosen), len(labels.lines)), np.bool_)
        columns: dict[str, list[int]] = {}
        for row, names in enumerate(self.of(chosen)):
            for name in names:
                if name not in columns:
                    columns[name] = self._columns(name, classes, labels)
                marks[row, columns[name]] = True
        return marks

    def _columns(self, name: str, classes: Mapping[str, set[int]], labels: Labels) -> list[int]:
        """Find a label, or several with spaces between: a label may hold a space itself."""
        parts = name.split()
        if key(name) not in classes and all(key(part) in classes for part in parts):
            return [column for part in parts for column in self._columns(part, classes, labels)]
        return [folders.only(f"{name!r} in {self.source}", classes.get(key(name), set()), labels)]


def locate(folder: Path) -> Path | None:
    """Find the file beside the images or in the folder above; None where there is none that lists images."""
    places = (place / name for place in (folder, folder.resolve().parent) for name in FILES)
    return next((path for path in places if path.is_file() and _lists_images(path)), None)


def read(path: Path) -> Truth:
    """Read which labels each image has.

    `.json` holds {"1.jpg": ["cat", "sofa"]}; any other file is a table: an image and its labels with a comma, `|`,
    `;` or space between, or a header that names the labels and 0 or 1 below them.

    Raises:
        InputError: It cannot be read, or is something else.
    """
    try:
        text = files.read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file; {_ADVICE}") from error
    return _of_json(path, text) if path.suffix == ".json" else _of_table(path, text)


def _of_json(path: Path, text: str) -> Truth:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON ({error}); {_ADVICE}") from error
    if not isinstance(value, dict) or not value:
        raise InputError(f'{path} lists no images; write {{"cats/1.jpg": ["cat", "sofa"]}}')
    names: dict[str, tuple[str, ...]] = {}
    for image, entry in value.items():
        labels = [entry] if isinstance(entry, str) else entry
        if not isinstance(labels, list) or not all(isinstance(name, str) for name in labels):
            raise InputError(f'{path}: {image!r} has no list of labels; write {{"cats/1.jpg": ["cat", "sofa"]}}')
        names[image] = tuple(labels)
    return Truth(str(path), names)


def _of_table(path: Path, text: str) -> Truth:
    splitter = "\t" if "\t" in text.partition("\n")[0] else ","
    rows = [
        (number, [cell.strip() for cell in row])
        for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=splitter), 1)
        if any(cell.strip() for cell in row)
    ]
    if not rows:
        raise InputError(f"{path} is empty; {_ADVICE}")
    header = rows[0][1]
    flags = len(header) > 1 and len(rows) > 1 and all(cell.lower() in _FLAGS for _, row in rows[1:] for cell in row[1:])
    if not flags and not _is_image(header[0]):
        rows = rows[1:]
    names: dict[str, tuple[str, ...]] = {}
    for number, (image, *cells) in rows[1:] if flags else rows:
        if image in names:
            raise InputError(f"{path}: line {number} lists {image} again; list each image once")
        if flags and len(cells) != len(header) - 1:
            raise InputError(
                f"{path}: line {number} has {len(cells)} flags for {len(header) - 1} labels; fill them all"
            )
        names[image] = _flagged(header[1:], cells) if flags else _split(cells)
    return Truth(str(path), names, tuple(header[1:]) if flags else None)


def _flagged(labels: Sequence[str], cells: Sequence[str]) -> tuple[str, ...]:
    return tuple(label for label, cell in zip(labels, cells, strict=True) if cell.lower() in ("1", "1.0", "true"))


def _split(cells: Sequence[str]) -> tuple[str, ...]:
    """Take each cell for a label; within one, `|`, `;` or a comma is between labels."""
    return tuple(name.strip() for cell in cells for name in re.split(r"[|;,]", cell) if name.strip())


def _lists_images(path: Path) -> bool:
    """Whether a file lists images, and not classes."""
    try:
        head = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return False
    if path.suffix == ".json":
        return any(f'{suffix}"' in head.lower() for suffix in _SUFFIXES)
    return any(_is_image(re.split(r"[,\t]", line)[0].strip('"')) for line in head.splitlines()[:2])


def _is_image(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES)
