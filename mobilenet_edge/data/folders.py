"""Image folders: where the images and labels of a data set are, and which class a sub-folder is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mobilenet_edge.data.labels import Labels, key
from mobilenet_edge.errors import InputError

FILES: Final = ("labels.txt", "class_indices.json")
IMAGES: Final = "images"
TRAINING: Final = ("train", "training")
VALIDATION: Final = ("val", "valid", "validation", "dev")
TEST: Final = ("test", "testing", "eval")
SPLITS: Final = (*VALIDATION, *TEST, *TRAINING)
"""Folders that hold class folders of their own, in the order in which one is scored."""
FOR_CALIBRATION: Final = (*TRAINING, *VALIDATION, *TEST)
_SHOWN: Final = 5


@dataclass(frozen=True)
class Place:
    """What `--data` or `--calibrate` means.

    Attributes:
        folder: The image folder.
        labels: A labels file in it or beside it, None where there is none.
        note: Which of several splits it is, in a sentence; may be empty.
    """

    folder: Path
    labels: Path | None
    note: str = ""


def locate(data: Path, splits: Sequence[str] = SPLITS) -> Place:
    """Find the image folder and the labels file of a data set.

    The images are in `data/images` where that is a folder, else in `data` itself; of `train/` and `val/` below it, one
    split is taken: the first of `splits`. The labels are in the image folder or in one of those around it that belong
    to the data set.
    """
    root = data / IMAGES if (data / IMAGES).is_dir() else data
    split = split_names(root, splits)
    folder = root / split[0] if split else root
    around = (folder, *([root] if split else ()), root.resolve().parent)
    files = (place / name for place in around for name in FILES)
    note = ""
    if split:
        others = ", ".join(f"{name}/" for name in split[1:])
        beside = (
            f"; {others} beside it {'is another split' if len(split) == 2 else 'are other splits'}" if others else ""
        )
        note = f"images of {folder} ({split[0]}/ is a split, not a class{beside})"
    return Place(folder, next((path for path in files if path.is_file()), None), note)


def of_folders(folder: Path, images: Iterable[str]) -> Labels:
    """Take the sub-folders in sorted order for the classes, as Keras does: as strings, empty ones too.

    Args:
        folder: The image folder.
        images: Its images, as `images.names` gives them.

    Raises:
        InputError: An image lies in no sub-folder.
    """
    full = {_class(folder, image) for image in images}
    names = sorted(path.name for path in _folders(folder))
    remarks = []
    if all(name.isdecimal() for name in names) and names != sorted(names, key=int):
        remarks.append(f"sorted as strings, as Keras sorts them: {', '.join(names[: _SHOWN - 1])}, ...")
    empty = [name for name in names if name not in full]
    if empty:
        shown = ", ".join(empty[:_SHOWN]) + (", ..." if len(empty) > _SHOWN else "")
        remarks.append(f"{len(empty)} of {len(names)} without images: {shown}")
    return Labels(tuple(names), f"sub-folders of {folder}", assumed=True, remark="; ".join(remarks))


def match(folder: Path, images: Sequence[str], labels: Labels) -> list[int]:
    """Give the class index of each image by its sub-folder of `folder`: a synset or a class name of `labels`.

    The images are as `images.names` gives them. Class names are compared as `labels.key` writes them.

    Raises:
        InputError: An image lies in no sub-folder, or its sub-folder is named like no class, or like several.
    """
    classes = labels.by_name()
    indexes = {}
    for name in dict.fromkeys(_class(folder, image) for image in images):
        indexes[name] = only(folder / name, classes.get(key(name), set()), labels)
    return [indexes[_class(folder, image)] for image in images]


def only(place: Path | str, found: set[int], labels: Labels) -> int:
    """Return the one class that a name stands for.

    Raises:
        InputError: There is none, or there are several.
    """
    if not found:
        raise InputError(
            f"{place} is no class of {labels.source}; "
            "name sub-folders by synset or class name, or give the labels with --labels"
        )
    if len(found) > 1:
        several = " and ".join(str(index) for index in sorted(found))
        raise InputError(f"{place} may be class {several} of {labels.source}; name it by synset")
    (index,) = found
    return index


def split_names(root: Path, splits: Sequence[str] = SPLITS) -> list[str]:
    """List the splits in a folder, the one to use first; none where a folder is named otherwise."""
    names = [path.name for path in _folders(root)]
    if not names or any(name.lower() not in splits for name in names):
        return []
    nested = any(True for name in names for _ in _folders(root / name))
    # A class may be called "train"; two such names, or classes below one, are splits.
    if len(names) == 1 and not nested:
        return []
    return sorted(names, key=lambda name: splits.index(name.lower()))


def _folders(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in folder.iterdir() if not path.name.startswith(".") and path.is_dir())


def _class(folder: Path, image: str) -> str:
    name, below, _ = image.partition("/")
    if not below:
        raise InputError(
            f"{folder / image} lies in no class folder; put it into a sub-folder of {folder} named by its class"
        )
    return name
