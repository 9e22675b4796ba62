"""Which class an image belongs to: a labels file, and image folders matched to it. docs/accuracy.md has the rules.

Class indexes here count the labels, from 0. A model with one output more than there are labels keeps its first for
"background", as Google's do; `shift` says by how much a model's indexes differ.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mobilenet_edge import files
from mobilenet_edge.errors import InputError

FILE: Final = "labels.txt"
IMAGES: Final = "images"

_SYNSET: Final = re.compile(r"(n\d{8})(?:\s+(.+))?")


@dataclass(frozen=True)
class Labels:
    """The classes in index order.

    Attributes:
        lines: One class each: "synset name", a synset, or a name.
        source: Where they come from, in words.
        assumed: Whether they are only the sub-folders in sorted order, the order `image_dataset_from_directory` of
            Keras gives the classes of a model that was trained on them.
    """

    lines: tuple[str, ...]
    source: str
    assumed: bool = False


def read(path: Path) -> Labels:
    """Read a labels file: line k (from 0) is class k, "synset name" or one name.

    Raises:
        InputError: It cannot be read, is no text, is empty, or has an empty line, which would shift the classes after.
    """
    try:
        lines = files.read_bytes(path).decode("utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file; give one with a class name a line") from error
    if not lines:
        raise InputError(f"{path} is empty; line k (from 0) must name class k")
    empty = next((number for number, line in enumerate(lines, 1) if not line.strip()), None)
    if empty is not None:
        raise InputError(f"{path}: line {empty} is empty, but line k (from 0) must name class k; fill or remove it")
    return Labels(tuple(line.strip() for line in lines), str(path))


def locate(data: Path) -> tuple[Path, Path | None]:
    """Find the image folder and the labels file that `--data` means.

    The images are in `data/images` where that is a folder, else in `data` itself; the labels are `labels.txt` in the
    image folder or beside it, None where there is none.
    """
    folder = data / IMAGES if (data / IMAGES).is_dir() else data
    beside = (folder / FILE, folder.resolve().parent / FILE)
    return folder, next((path for path in beside if path.is_file()), None)


def of_folders(folder: Path, images: Iterable[str]) -> Labels:
    """Take the sub-folders that hold images, as `images.names` gives them, in sorted order for the classes."""
    return Labels(tuple(sorted({_class(folder, name) for name in images})), f"sub-folders of {folder}", assumed=True)


def match(folder: Path, images: Sequence[str], labels: Labels) -> list[int]:
    """Give the class index of each image by its sub-folder of `folder`: a synset or a class name of `labels`.

    The images are as `images.names` gives them. Class names are compared without regard to case, and `_`, `-` and space
    are one.

    Raises:
        InputError: An image lies in no sub-folder, or its sub-folder is named like no class, or like several.
    """
    classes = _by_name(labels)
    indexes = {}
    for name in dict.fromkeys(_class(folder, image) for image in images):
        found = classes.get(_key(name), set())
        if not found:
            raise InputError(
                f"{folder / name} is no class of {labels.source}; "
                "name sub-folders by synset or class name, or give the labels with --labels"
            )
        if len(found) > 1:
            several = " and ".join(str(index) for index in sorted(found))
            raise InputError(f"{folder / name} may be class {several} of {labels.source}; name it by synset")
        (indexes[name],) = found
    return [indexes[_class(folder, image)] for image in images]


def shift(outputs: int, labels: Labels, model: str) -> int:
    """Say how many outputs of a model lie before the one of class 0: 1 for a background class it alone has, else 0.

    -1 where the labels alone begin with "background".

    Raises:
        InputError: The labels are of another number of classes.
    """
    extra = outputs - len(labels.lines)
    # Sub-folders alone cannot tell a background class from a class without images.
    if extra == 0 or (extra == 1 and not labels.assumed):
        return extra
    if extra == -1 and _key(labels.lines[0]) == "background":
        return extra
    if labels.assumed:
        raise InputError(
            f"{model} has {outputs} classes, but there are {len(labels.lines)} {labels.source}; "
            "say which is which with --labels FILE (line k, from 0: class k)"
        )
    raise InputError(
        f"{model} has {outputs} classes, but {labels.source} names {len(labels.lines)}; give its own with --labels"
    )


def _class(folder: Path, image: str) -> str:
    name, below, _ = image.partition("/")
    if not below:
        raise InputError(
            f"{folder / image} lies in no class folder; put it into a sub-folder of {folder} named by its class"
        )
    return name


def _by_name(labels: Labels) -> dict[str, set[int]]:
    classes: dict[str, set[int]] = defaultdict(set)
    for index, line in enumerate(labels.lines):
        for name in _names(line):
            classes[_key(name)].add(index)
    return classes


def _names(line: str) -> Iterator[str]:
    match = _SYNSET.fullmatch(line)
    synset, name = match.groups() if match else (None, line)
    if synset:
        yield synset
    if name:
        yield name
        # ImageNet's own list gives synonyms: "tench, Tinca tinca".
        yield from name.split(",")


def _key(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()
